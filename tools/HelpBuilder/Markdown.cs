namespace HelpBuilder;

/// <summary>The little of Markdown that help is written in.</summary>
internal static class Markdown
{
    /// <summary>What a block of code begins and ends with.</summary>
    public const string Fence = "```";

    /// <summary>
    /// Reads paragraphs up to the next heading or block of code. A list's item is a paragraph of its own; the marks of code are no
    /// use on a screen without fonts.
    /// </summary>
    public static List<string> ReadParagraphs(string[] lines, ref int next)
    {
        var paragraphs = new List<string>();
        var continues = false;
        for (; next < lines.Length && !lines[next].StartsWith('#') && !lines[next].StartsWith(Fence, StringComparison.Ordinal); next++)
        {
            var line = lines[next].Trim().Replace("`", "", StringComparison.Ordinal);
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

    /// <summary>Reads the block of code that comes next.</summary>
    /// <returns>Null where something else comes, or the block does not end: then nothing is read but empty lines.</returns>
    public static string? ReadCode(string[] lines, ref int next, string language)
    {
        while (next < lines.Length && lines[next].Length == 0)
        {
            next++;
        }

        var end = next < lines.Length && lines[next] == Fence + language ? Array.IndexOf(lines, Fence, next + 1) : -1;
        if (end < 0)
        {
            return null;
        }

        var code = string.Join('\n', lines[(next + 1)..end]).Trim('\n');
        next = end + 1;
        return code;
    }
}
