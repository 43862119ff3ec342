using System.Management.Automation;

namespace QemuGuestAgent;

/// <summary>Names with wildcards, as PowerShell matches them: any of them, in any case.</summary>
internal sealed class NameFilter(string[] names)
{
    private readonly WildcardPattern[] _patterns = Array.ConvertAll(names, PatternOf);

    /// <summary>What matches a name with wildcards: in any case, also in Turkish, whose capital i is another.</summary>
    public static WildcardPattern PatternOf(string name) =>
        WildcardPattern.Get(name, WildcardOptions.IgnoreCase | WildcardOptions.CultureInvariant);

    /// <summary>Whether a name is one of those asked for.</summary>
    public bool Matches(string name) => Array.Exists(_patterns, pattern => pattern.IsMatch(name));
}
