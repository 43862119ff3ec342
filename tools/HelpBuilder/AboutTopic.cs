using System.Text;

namespace HelpBuilder;

/// <summary>
/// Makes the text that Get-Help shows of about_….md: a heading with the name, one sentence, and sections of paragraphs, lists and
/// blocks of PowerShell and its output. Nothing else of Markdown is used.
/// </summary>
internal static class AboutTopic
{
    private const int Width = 80;
    private const string Indent = "    ";

    /// <summary>Reads a topic.</summary>
    public static string Read(string path, Faults faults)
    {
        var name = Path.GetFileNameWithoutExtension(path);
        var lines = File.ReadAllLines(path);
        var next = 1;
        var paragraphs = Markdown.ReadParagraphs(lines, ref next);
        if (lines[0] != "# " + name || paragraphs.Count == 0 || Indent.Length + paragraphs[0].Length > Width)
        {
            faults.Add(path, 1, $"It does not begin with '# {name}' and a paragraph of at most {Width - Indent.Length} characters: its synopsis.");
            return "";
        }

        // Get-Help takes the fifth line for the synopsis.
        var text = new StringBuilder($"TOPIC\n{Indent}{name}\n\nSHORT DESCRIPTION\n{Indent}{paragraphs[0]}\n\nLONG DESCRIPTION\n");
        paragraphs.RemoveAt(0);
        Append(text, paragraphs);
        while (next < lines.Length)
        {
            if (lines[next].StartsWith("## ", StringComparison.Ordinal))
            {
                text.Append(lines[next++].AsSpan(3)).Append('\n');
            }
            else if ((Markdown.ReadCode(lines, ref next, "powershell") ?? Markdown.ReadCode(lines, ref next, "output")) is { } code)
            {
                text.Append(string.Concat(code.Split('\n').Select(line => $"{Indent}{Indent}{line}".TrimEnd() + '\n'))).Append('\n');
            }
            else
            {
                faults.Add(path, next + 1, "Here is neither a paragraph, nor '## Heading', nor a block between '```powershell' or '```output' and '```'.");
                return "";
            }

            Append(text, Markdown.ReadParagraphs(lines, ref next));
        }

        return text.ToString().TrimEnd('\n') + '\n';
    }

    private static void Append(StringBuilder text, IEnumerable<string> paragraphs)
    {
        foreach (var paragraph in paragraphs)
        {
            var further = paragraph.StartsWith("- ", StringComparison.Ordinal) ? Indent + "  " : Indent;
            var line = new StringBuilder(Indent);
            foreach (var word in paragraph.Split(' '))
            {
                if (line.Length + word.Length > Width && line.Length > further.Length)
                {
                    text.Append(line.ToString().TrimEnd()).Append('\n');
                    line.Clear().Append(further);
                }

                line.Append(word).Append(' ');
            }

            text.Append(line.ToString().TrimEnd()).Append("\n\n");
        }
    }
}
