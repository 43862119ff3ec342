using System.Text.RegularExpressions;

namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>Names that a guest gives for files of this computer. The guest is hostile until shown otherwise.</summary>
internal static class LocalName
{
    // What Windows takes for a device, with any extension and blanks before it.
    private static readonly Regex Device = new(
        @"^(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9\u00B9\u00B2\u00B3]) *(\..*)?\z",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.Singleline);

    /// <summary>Why a name cannot be that of a file in a folder here and of nothing else; null where it can.</summary>
    public static string? Refuse(string name, bool isWindows) =>
        name is "" or "." or ".." ? "it does not name a file"
        : name.Contains('/') || name.Contains('\0') ? "it is not a single name"
        : name.Contains('\uFFFD') ? "it is not valid text, and could not be sent back"
        : !isWindows ? null
        : name.IndexOfAny(['\\', ':', '<', '>', '"', '|', '?', '*']) >= 0 || name.Any(c => c < ' ') ? "it is not a valid name on Windows"
        : name[name.Length - 1] is '.' or ' ' ? "Windows would truncate it"
        : Device.IsMatch(name) ? "Windows treats it as a device"
        : null;
}
