namespace HelpBuilder;

/// <summary>
/// Reads Verb-Noun.md: a heading with the name, paragraphs, and examples, each a heading "## Example: title", a block of code, where
/// the tests can compare it a block of its output, and paragraphs. Nothing else of Markdown is used, for nothing else of it fits into a help file.
/// </summary>
internal static class TopicReader
{
    private const string ExampleHeading = "## Example: ";
    private const int ExamplesWanted = 2;

    /// <summary>Reads the document of a cmdlet.</summary>
    public static Topic Read(string folder, string name, Faults faults)
    {
        var path = Path.Combine(folder, name + ".md");
        if (!File.Exists(path))
        {
            faults.Add(path, 1, $"The cmdlet {name} has no help: write this file (# {name}, description, ## Example: title, ```powershell …).");
            return new Topic([], []);
        }

        var lines = File.ReadAllLines(path);
        if (lines.Length == 0 || lines[0] != "# " + name)
        {
            faults.Add(path, 1, $"The first line is not '# {name}'.");
        }

        var next = 1;
        var description = Markdown.ReadParagraphs(lines, ref next);
        if (description.Count == 0)
        {
            faults.Add(path, 1, "There is no description after the heading.");
        }

        var examples = new List<Example>();
        while (next < lines.Length)
        {
            if (ReadExample(path, lines, ref next, faults) is not { } example)
            {
                return new Topic(description, examples);
            }

            examples.Add(example);
        }

        if (examples.Count < ExamplesWanted)
        {
            faults.Add(path, 1, $"There are {examples.Count} examples ('{ExampleHeading}title'); at least {ExamplesWanted} are wanted.");
        }

        return new Topic(description, examples);
    }

    /// <summary>Refuses documents of what is no cmdlet; about_ topics are none.</summary>
    public static void RefuseOthers(string folder, IEnumerable<string> names, Faults faults)
    {
        var known = names.Select(name => name + ".md").ToHashSet();
        foreach (var path in Directory.GetFiles(folder, "*-*.md").Where(path => !known.Contains(Path.GetFileName(path))))
        {
            faults.Add(path, 1, "There is no cmdlet of this name: remove the file, or name it after its cmdlet.");
        }
    }

    private static Example? ReadExample(string path, string[] lines, ref int next, Faults faults)
    {
        var heading = lines[next];
        if (!heading.StartsWith(ExampleHeading, StringComparison.Ordinal) || heading.Length == ExampleHeading.Length)
        {
            faults.Add(path, next + 1, $"Here is neither a paragraph nor '{ExampleHeading}title', under which code belongs.");
            return null;
        }

        next++;
        var code = Markdown.ReadCode(lines, ref next, "powershell");
        if (string.IsNullOrEmpty(code))
        {
            faults.Add(path, next, "The example has no code between '```powershell' and '```'.");
            return null;
        }

        var output = Markdown.ReadCode(lines, ref next, "output");
        var remarks = Markdown.ReadParagraphs(lines, ref next);
        if (remarks.Count == 0)
        {
            faults.Add(path, next, "Say a sentence about the example, after its code.");
        }

        return new Example(heading[ExampleHeading.Length..], code, output, remarks);
    }
}
