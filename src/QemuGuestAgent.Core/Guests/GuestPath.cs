using System.Text.RegularExpressions;

namespace QemuGuestAgent.Core.Guests;

/// <summary>Paths as a guest's system writes them.</summary>
internal sealed class GuestPath
{
    private readonly string _separators;
    private readonly Regex _root;

    // The first separator is the one that is written.
    private GuestPath(string separators, string root)
    {
        _separators = separators;
        _root = new Regex(root, RegexOptions.CultureInvariant);
    }

    /// <summary>As POSIX has them.</summary>
    public static GuestPath Posix { get; } = new("/", "^/");

    /// <summary>As Windows has them.</summary>
    public static GuestPath Windows { get; } = new(@"\/", @"^([A-Za-z]:[\\/]|\\\\)");

    /// <summary>Whether it is absolute. Paths relative to the agent's own folder are not accepted.</summary>
    public bool IsRooted(string path) => _root.IsMatch(path);

    /// <summary>Whether it ends as only a folder's path does.</summary>
    public bool EndsAsFolder(string path) => path.Length > 0 && IsSeparator(path[path.Length - 1]);

    /// <summary>The last name in a path; empty for a root.</summary>
    public string Name(string path)
    {
        var end = Trim(path);
        return end.Substring(NameStart(end));
    }

    /// <summary>The folder that an item is in, with the separator at its end.</summary>
    public string Folder(string path)
    {
        var end = Trim(path);
        return end.Substring(0, NameStart(end));
    }

    /// <summary>An item in a folder.</summary>
    public string Join(string folder, string name) =>
        EndsAsFolder(folder) ? folder + name : folder + _separators[0] + name;

    /// <summary>An item further down.</summary>
    public string Join(string folder, IEnumerable<string> names) =>
        names.Aggregate(folder, (path, name) => Join(path, name));

    private string Trim(string path)
    {
        var end = path.Length;
        while (end > 1 && IsSeparator(path[end - 1]))
        {
            end--;
        }

        return path.Substring(0, end);
    }

    private int NameStart(string path)
    {
        var start = path.Length;
        while (start > 0 && !IsSeparator(path[start - 1]))
        {
            start--;
        }

        return start;
    }

    private bool IsSeparator(char c) => _separators.Contains(c);
}
