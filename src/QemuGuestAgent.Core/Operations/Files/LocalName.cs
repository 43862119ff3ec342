using System.Text.RegularExpressions;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;

namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>
/// Names that a guest gives for files of this computer: it is hostile until shown otherwise. And names for files of a Windows guest, by
/// the same rule: Windows takes what it forbids for something else.
/// </summary>
internal static class LocalName
{
    // What Windows takes for a device, with any extension and blanks before it.
    private static readonly Regex Device = new(
        @"^(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9\u00B9\u00B2\u00B3]) *(\..*)?\z",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.Singleline);

    private static readonly Regex Wildcards = new(@"`.|[*?]", RegexOptions.CultureInvariant | RegexOptions.Singleline);

    /// <summary>Why a name that is not valid text is refused.</summary>
    public const string NoText = "it is not valid text, and could not be sent back";

    /// <summary>Why a name cannot be that of a file in a folder here and of nothing else; null where it can.</summary>
    public static string? Refuse(string name, bool isWindows) =>
        name is "" or "." or ".." ? "it does not name a file"
        : name.Contains('/') || name.Contains('\0') ? "it is not a single name"
        : !IsText(name) ? NoText
        : !isWindows ? null
        : name.IndexOfAny(['\\', ':', '<', '>', '"', '|', '?', '*']) >= 0 || name.Any(c => c < ' ') ? "it is not a valid name on Windows"
        : name[name.Length - 1] is '.' or ' ' ? "Windows would truncate it"
        : Device.IsMatch(name) ? "Windows treats it as a device"
        : null;

    /// <summary>Whether a name has come as it is: what is not valid text is replaced when it is read.</summary>
    public static bool IsText(string name) => !name.Contains('\uFFFD');

    /// <summary>Refuses a path of a guest that is not absolute, or has a name in it that its system forbids.</summary>
    /// <param name="path">The path.</param>
    /// <param name="paths">How the guest writes paths.</param>
    /// <param name="isPattern">Whether it has wildcards.</param>
    /// <param name="endpoint">The guest's endpoint.</param>
    /// <exception cref="GuestAgentException">GuestPathNotRooted, GuestNameForbidden.</exception>
    public static void CheckPath(string path, GuestPath paths, bool isPattern, GuestAgentEndpoint endpoint)
    {
        if (!paths.IsRooted(path))
        {
            throw ErrorCatalogue.GuestPathNotRooted.With(path, endpoint);
        }

        // The first of a path to another computer is that one's name: neither '.' nor '?' is, by which devices are reached.
        var isOfOther = path[0] == '\\';
        foreach (var name in paths.IsWindows ? paths.NamesBelowRoot(path) : [])
        {
            if (isOfOther || name is not ("." or ".."))
            {
                CheckName(isPattern ? Wildcards.Replace(name, "x") : name, path, paths, endpoint);
            }

            isOfOther = false;
        }
    }

    /// <summary>Refuses a name that the guest's system forbids.</summary>
    /// <param name="name">The name.</param>
    /// <param name="path">The path that it is for.</param>
    /// <param name="paths">How the guest writes paths.</param>
    /// <param name="endpoint">The guest's endpoint.</param>
    /// <exception cref="GuestAgentException">GuestNameForbidden.</exception>
    public static void CheckName(string name, string path, GuestPath paths, GuestAgentEndpoint endpoint)
    {
        if (paths.IsWindows && Refuse(name, isWindows: true) is { } reason)
        {
            throw ErrorCatalogue.GuestNameForbidden.With(path, endpoint, name, reason);
        }
    }
}
