using System.Text;
using System.Text.RegularExpressions;

namespace QemuGuestAgent.Core.Guests;

/// <summary>Paths of a guest with wildcards.</summary>
internal static class GuestPattern
{
    /// <summary>Whether a path of PowerShell's has wildcards.</summary>
    public static bool HasWildcards(string pattern)
    {
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] is '*' or '?' or '[')
            {
                return true;
            }

            i += pattern[i] == '`' ? 1 : 0;
        }

        return false;
    }

    /// <summary>A path of PowerShell's without wildcards, as it is meant: a backtick takes the next character as it is.</summary>
    public static string Unescape(string pattern) => Regex.Replace(pattern, "`(.)", "$1", RegexOptions.Singleline);

    /// <summary>PowerShell's wildcards as those of a POSIX shell that splits no words.</summary>
    public static string ShellPattern(string pattern)
    {
        var result = new StringBuilder();
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] == '`' && i + 1 < pattern.Length)
            {
                AppendLiteral(result, pattern[++i]);
            }
            else if (pattern[i] == '\\')
            {
                AppendLiteral(result, '\\');
            }
            else
            {
                result.Append(pattern[i]);
            }
        }

        return result.ToString();
    }

    /// <summary>What finds the paths that a shell's pattern finds: names that begin with a dot only by a dot.</summary>
    public static Regex Matcher(string shellPattern) => new(
        @"\A" + string.Join("/", shellPattern.Split('/').Select(name => NameMatcher(name, isWindows: false))) + @"\z",
        RegexOptions.CultureInvariant | RegexOptions.Singleline);

    /// <summary>What finds the paths that PowerShell's wildcards find in a Windows guest, in either case.</summary>
    public static Regex WindowsMatcher(string pattern) => new(
        @"\A" + string.Join(@"[\\/]", pattern.Split('\\', '/').Select(name => NameMatcher(ShellPattern(name), isWindows: true))) + @"\z",
        RegexOptions.CultureInvariant | RegexOptions.Singleline | RegexOptions.IgnoreCase);

    // In Windows names that begin with a dot are as others, and nothing in brackets means that they tell what is not meant.
    private static string NameMatcher(string pattern, bool isWindows)
    {
        var separators = isWindows ? @"\\/" : "/";
        // Between stars, which are tried without end where they may take what was found back.
        var chunks = new List<StringBuilder> { new(!isWindows && pattern.Length > 0 && pattern[0] is '*' or '?' or '[' ? @"(?!\.)" : "") };
        for (var i = 0; i < pattern.Length; i++)
        {
            // What stands first in brackets does not end them.
            var isNot = !isWindows && i + 1 < pattern.Length && pattern[i + 1] is '!' or '^';
            var start = i + (isNot ? 2 : 1);
            var end = pattern[i] == '[' && start + 1 < pattern.Length ? pattern.IndexOf(']', start + 1) : -1;
            if (end > 0)
            {
                chunks[chunks.Count - 1].Append(isNot ? "(?!/)[^" : $"(?![{separators}])[").Append(Set(pattern.Substring(start, end - start))).Append(']');
                i = end;
            }
            else if (pattern[i] == '*')
            {
                chunks.Add(new StringBuilder());
            }
            else
            {
                chunks[chunks.Count - 1].Append(pattern[i] == '?' ? $"[^{separators}]" : Regex.Escape(pattern[i].ToString()));
            }
        }

        return chunks.Count == 1
            ? chunks[0].ToString()
            : chunks[0] + string.Concat(chunks.Skip(1).Take(chunks.Count - 2).Select(chunk => $"(?>[^{separators}]*?{chunk})"))
                + $"[^{separators}]*" + chunks[chunks.Count - 1];
    }

    // What is special in a set of .NET's, but for the sign between the ends of a range.
    private static string Set(string set) => Regex.Replace(set, @"[\\\[\]^]", @"\$0");

    // In brackets every shell takes a character as it is; behind a backslash not every one does.
    private static void AppendLiteral(StringBuilder pattern, char literal) => _ = literal switch
    {
        '*' or '?' or '[' => pattern.Append('[').Append(literal).Append(']'),
        '\\' => pattern.Append(@"[\\]"),
        _ => pattern.Append(literal),
    };
}
