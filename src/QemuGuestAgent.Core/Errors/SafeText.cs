using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace QemuGuestAgent.Core.Errors;

/// <summary>Makes text from a guest, or from an unknown peer, harmless for a terminal.</summary>
public static class SafeText
{
    /// <summary>
    /// Returns <paramref name="text"/> with every control, format and unpaired surrogate character written as <c>\uXXXX</c>:
    /// ANSI sequences, bidirectional overrides and line ends of a hostile guest cannot act on a terminal or forge a line.
    /// </summary>
    /// <param name="text">Any text.</param>
    /// <param name="maxLength">The longest text to return, in characters; the rest is replaced by an ellipsis.</param>
    public static string Escape(string text, int maxLength = 2048)
    {
        StringBuilder? escaped = null;
        var length = Math.Min(text.Length, maxLength);
        for (var i = 0; i < length; i++)
        {
            var c = text[i];
            if (IsHarmless(text, ref i))
            {
                escaped?.Append(text, i - (char.IsSurrogate(c) ? 1 : 0), char.IsSurrogate(c) ? 2 : 1);
                continue;
            }

            escaped ??= new StringBuilder(length + 16).Append(text, 0, i);
            escaped.Append("\\u").Append(((int)c).ToString("X4", CultureInfo.InvariantCulture));
        }

        if (length < text.Length)
        {
            return (escaped?.ToString() ?? text.Substring(0, length)) + "…";
        }

        return escaped?.ToString() ?? text;
    }

    /// <summary>Returns output of a program without the sequences that only colour it: they would make it illegible once escaped.</summary>
    /// <param name="text">Any text.</param>
    public static string WithoutColors(string text) => Regex.Replace(text, "\u001B\\[[0-9;:]*m", "");

    // Moves i to the second half of a surrogate pair that is harmless.
    private static bool IsHarmless(string text, ref int i)
    {
        if (text[i] is >= ' ' and <= '~')
        {
            return true;
        }

        if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
        {
            if (CharUnicodeInfo.GetUnicodeCategory(text, i) == UnicodeCategory.Format)
            {
                return false;
            }

            i++;
            return true;
        }

        return CharUnicodeInfo.GetUnicodeCategory(text[i]) is not (UnicodeCategory.Control or UnicodeCategory.Format
            or UnicodeCategory.Surrogate or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
    }
}
