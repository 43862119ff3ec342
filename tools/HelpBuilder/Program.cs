using HelpBuilder;

if (args is not [var module, var comments, var documents, var powerShell, var output, ..] || args.Length > 6)
{
    Console.Error.WriteLine("HelpBuilder <module.dll> <module.xml> <folder of Markdown> <System.Management.Automation.dll> <help.xml> [<address of the project>]");
    return 2;
}

// All at once: who writes help does not want to build once for each mistake.
var faults = new Faults();
using var cmdlets = new CmdletReader(module, powerShell, new CommentReader(comments, faults));
var topics = cmdlets.ReadAll().Select(cmdlet => (Cmdlet: cmdlet, Topic: TopicReader.Read(documents, cmdlet.Name, faults))).ToList();
TopicReader.RefuseOthers(documents, topics.Select(topic => topic.Cmdlet.Name), faults);
var abouts = Directory.GetFiles(documents, "about_*.md").Select(path => (Name: Path.GetFileNameWithoutExtension(path), Text: AboutTopic.Read(path, faults))).ToList();
if (faults.Any)
{
    return 1;
}

var folder = Path.GetDirectoryName(Path.GetFullPath(output))!;
Directory.CreateDirectory(folder);
string[] names = [.. topics.Select(topic => topic.Cmdlet.Name), .. abouts.Select(about => about.Name).Order(StringComparer.Ordinal)];
MamlWriter.Write(topics.Select(topic => (topic.Cmdlet, topic.Topic, RelatedTopics.Of(topic.Cmdlet, topic.Topic, names))), args.ElementAtOrDefault(5), output);
abouts.ForEach(about => File.WriteAllText(Path.Combine(folder, about.Name + ".help.txt"), about.Text));
return 0;
