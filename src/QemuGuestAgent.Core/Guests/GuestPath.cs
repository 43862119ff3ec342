using System.Text.RegularExpressions;

namespace QemuGuestAgent.Core.Guests;

/// <summary>Paths as a guest's system writes them.</summary>
internal sealed class GuestPath
{
    private readonly string _separators;
    private readonly Regex _root;

    // The first separator is the one that is written.
    private GuestPath(string separators, string root, bool isWindows)
    {
        _separators = separators;
        _root = new Regex(root, RegexOptions.CultureInvariant);
        IsWindows = isWindows;
    }

    /// <summary>As POSIX has them.</summary>
    public static GuestPath Posix { get; } = new("/", "^/", false);

    /// <summary>As Windows has them.</summary>
    public static GuestPath Windows { get; } = new(@"\/", @"^([A-Za-z]:[\\/]|\\\\)", true);

    /// <summary>Whether Windows' rules for names hold.</summary>
    public bool IsWindows { get; }

    /// <summary>Whether it is absolute. Paths relative to the agent's own folder are not accepted.</summary>
    public bool IsRooted(string path) => _root.IsMatch(path);

    /// <summary>Whether it ends as only a folder's path does.</summary>
    public bool EndsAsFolder(string path) => path.Length > 0 && IsSeparator(path[path.Length - 1]);

    /// <summary>The names in a path, but for that of its drive.</summary>
    public IEnumerable<string> NamesBelowRoot(string path) =>
        path.Substring(_root.Match(path).Length).Split([.. _separators]).Where(name => name.Length > 0);

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

    /// <summary>What the paths of all items in a folder begin with.</summary>
    public string Inside(string folder) => Join(folder, "");

    /// <summary>A way of several names.</summary>
    public string Way(IEnumerable<string> names) => string.Join(_separators.Substring(0, 1), names);

    /// <summary>The names on such a way.</summary>
    public string[] Names(string way) => way.Split(_separators[0]);

    /// <summary>An item further down.</summary>
    public string Join(string folder, IEnumerable<string> names) =>
        names.Aggregate(folder, (path, name) => Join(path, name));

    private string Trim(string path)
    {
        // Without the separator behind it a drive is none.
        var (end, start) = (path.Length, IsWindows && path.Length > 1 && path[1] == ':' ? 3 : 1);
        while (end > start && IsSeparator(path[end - 1]))
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
