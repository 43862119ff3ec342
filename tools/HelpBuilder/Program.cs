using HelpBuilder;

if (args is not [var module, var comments, var documents, var powerShell, var output])
{
    Console.Error.WriteLine("HelpBuilder <module.dll> <module.xml> <folder of Markdown> <System.Management.Automation.dll> <help.xml>");
    return 2;
}

// All at once: who writes help does not want to build once for each mistake.
var faults = new Faults();
using var cmdlets = new CmdletReader(module, powerShell, new CommentReader(comments, faults));
var topics = cmdlets.ReadAll().Select(cmdlet => (cmdlet, TopicReader.Read(documents, cmdlet.Name, faults))).ToList();
TopicReader.RefuseOthers(documents, topics.Select(topic => topic.cmdlet.Name), faults);
if (faults.Any)
{
    return 1;
}

Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(output))!);
MamlWriter.Write(topics, output);
return 0;
