#if NET
using QemuGuestAgent.Core.Endpoints;
#endif
using QemuGuestAgent.Core.Guests;

namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>What is there where a link is to be made.</summary>
internal enum LinkPlace
{
    /// <summary>Nothing.</summary>
    Free,

    /// <summary>The same link.</summary>
    Same,

    /// <summary>Another link.</summary>
    Link,

    /// <summary>What is no link.</summary>
    Taken,
}

/// <summary>Symbolic links in a tree that is copied.</summary>
internal static class TreeLink
{
    /// <summary>
    /// Whether a link leads to nothing but what is in its tree, wherever that is. Only at the beginning may it go up: behind the name of
    /// another link that would lead anywhere.
    /// </summary>
    /// <param name="target">What the link says.</param>
    /// <param name="depth">How many folders are between the root of the tree and the link.</param>
    public static bool StaysInside(string target, int depth)
    {
        var names = target.Split('/').Where(name => name is not ("" or ".")).ToList();
        var up = names.TakeWhile(name => name == "..").Count();
        return target.Length > 0 && target[0] != '/' && up <= depth && names.LastIndexOf("..") < up && LocalName.IsText(target);
    }

    /// <summary>Where an item of a guest leads that comes as a link; null where it comes as something else, or not at all.</summary>
    public static string? TargetOf(GuestItem item, ItemCopyOptions options) =>
        item is { Type: 'l', Way.Length: > 0, Target: { } target } && StaysInside(target, item.Names.Length - 1)
        && !options.FollowLinks && LocalPlace.MakesLinks
            ? target
            : null;

    /// <summary>That a link is not copied.</summary>
    /// <param name="link">The link, and where it is.</param>
    /// <param name="target">Where it leads, if that is known.</param>
    /// <param name="mayFollow">Whether it can be followed.</param>
    public static string NotCopied(string link, string? target, bool mayFollow = true) =>
        $"The link {link}{(target is null ? "" : $" to '{target}'")} is not copied.{(mayFollow ? " -FollowLinks copies what it leads to." : "")}";

#if NET
    /// <summary>Whether something is a link, or a folder that is elsewhere; and where it leads, if that is told.</summary>
    public static bool Is(FileSystemInfo item, out string? target) =>
        (target = item.LinkTarget) is not null || (item is DirectoryInfo && item.Attributes.HasFlag(FileAttributes.ReparsePoint));

    /// <summary>Where a link leads in the end.</summary>
    public static string Follow(FileSystemInfo link) =>
        OperatingSystem.IsWindows() ? link.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? link.FullName : RealPath.Of(link.FullName);
#else
    /// <summary>Whether something is a folder that is elsewhere; this .NET does not tell where, and opens what links to files lead to.</summary>
    public static bool Is(FileSystemInfo item, out string? target)
    {
        target = null;
        return item is DirectoryInfo && item.Attributes.HasFlag(FileAttributes.ReparsePoint);
    }

    /// <summary>Where a link leads in the end: this .NET does not tell.</summary>
    public static string Follow(FileSystemInfo link) =>
        throw new IOException("Windows PowerShell does not tell where the link leads. Use PowerShell 7.");
#endif
}
