using System.Management.Automation;

namespace QemuGuestAgent;

/// <summary>Names with PowerShell wildcards: a name matches if any of them does, ignoring case.</summary>
internal sealed class NameFilter(string[] names)
{
    private readonly WildcardPattern[] _patterns = Array.ConvertAll(names, PatternOf);

    /// <summary>A pattern for a name with wildcards. It ignores case, even in Turkish, which has a different capital i.</summary>
    public static WildcardPattern PatternOf(string name) => WildcardPattern.Get(
        IsValid(name) ? name : WildcardPattern.Escape(name), WildcardOptions.IgnoreCase | WildcardOptions.CultureInvariant);

    /// <summary>Whether a name has wildcards. A bracket that is not closed is meant as it is.</summary>
    public static bool HasWildcards(string name) => WildcardPattern.ContainsWildcardCharacters(name) && IsValid(name);

    /// <summary>Whether a name matches.</summary>
    public bool Matches(string name) => Array.Exists(_patterns, pattern => pattern.IsMatch(name));

    private static bool IsValid(string pattern)
    {
        try
        {
            _ = WildcardPattern.Get(pattern, WildcardOptions.None).IsMatch("");
            return true;
        }
        catch (WildcardPatternException)
        {
            return false;
        }
    }
}
