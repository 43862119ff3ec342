namespace HelpBuilder;

/// <summary>
/// Reads Verb-Noun.md: a heading with the name, paragraphs, and examples, each a heading "## Example: title", a block of code and
/// paragraphs. Nothing else of Markdown is used, for nothing else of it fits into a help file.
/// </summary>
internal static class TopicReader
{
    private const string ExampleHeading = "## Example: ";
    private const string CodeStart = "```powershell";
    private const string CodeEnd = "```";
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
        var description = ReadParagraphs(path, lines, ref next, faults);
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
            faults.Add(path, next + 1, $"Here is neither a paragraph nor '{ExampleHeading}title'.");
            return null;
        }

        do
        {
            next++;
        }
        while (next < lines.Length && lines[next].Length == 0);
        var start = next + 1;
        var end = start > lines.Length || lines[next] != CodeStart ? -1 : Array.IndexOf(lines, CodeEnd, start);
        var code = end < 0 ? "" : string.Join('\n', lines[start..end]).Trim('\n');
        if (code.Length == 0)
        {
            faults.Add(path, Math.Min(start, lines.Length), $"The example has no code between '{CodeStart}' and '{CodeEnd}'.");
            return null;
        }

        next = end + 1;
        var remarks = ReadParagraphs(path, lines, ref next, faults);
        if (remarks.Count == 0)
        {
            faults.Add(path, end + 1, "Say a sentence about the example, after its code.");
        }

        return new Example(heading[ExampleHeading.Length..], code, remarks);
    }

    // Up to the next heading. A list's item is a paragraph of its own; the marks of code are no use on a screen without fonts.
    private static List<string> ReadParagraphs(string path, string[] lines, ref int next, Faults faults)
    {
        var paragraphs = new List<string>();
        var continues = false;
        for (; next < lines.Length && !lines[next].StartsWith('#'); next++)
        {
            var line = lines[next].Trim();
            if (line.StartsWith(CodeEnd, StringComparison.Ordinal))
            {
                faults.Add(path, next + 1, $"Code belongs under a heading of its own, '{ExampleHeading}title'.");
            }

            line = line.Replace("`", "", StringComparison.Ordinal);
            if (line.Length > 0 && continues && !line.StartsWith("- ", StringComparison.Ordinal))
            {
                paragraphs[^1] += " " + line;
            }
            else if (line.Length > 0)
            {
                paragraphs.Add(line);
            }

            continues = line.Length > 0;
        }

        return paragraphs;
    }
}
