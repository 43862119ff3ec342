using System.Globalization;

namespace QemuGuestAgent.Core.Commands;

/// <summary>What Windows' agent says of its system and gets wrong, put right.</summary>
internal static class WindowsNames
{
    /// <summary>The id of a Windows in guest-get-osinfo.</summary>
    public const string Id = "mswindows";

    // The first build of Windows 11, whose product name in the registry, and in agents before 7.0 the version too, is still that of 10.
    private const int Windows11Build = 22000;

    // A comma is missing in the agent's table of versions.
    private const string Version7 = "Microsoft Windows 7";
    private const string WrongVersion7 = "Microsoft Windows 77";

    // For a version that it does not know.
    private const string Unknown = "N/A";

    /// <summary>The system with the right names.</summary>
    public static GuestOperatingSystem Correct(GuestOperatingSystem told)
    {
        if (told.Id != Id)
        {
            return told;
        }

        var system = told.Version == WrongVersion7
            ? told with { Version = Version7, VersionId = "7" }
            : told with { Version = Known(told.Version), VersionId = Known(told.VersionId) };
        system = system with { PrettyName = system.PrettyName ?? system.Version };
        var isNamed10 = int.TryParse(told.KernelRelease, NumberStyles.None, CultureInfo.InvariantCulture, out var build)
            && build >= Windows11Build && told.VariantId == "client";
        return isNamed10
            ? system with
            {
                PrettyName = As11(system.PrettyName),
                Version = As11(system.Version),
                VersionId = system.VersionId == "10" ? "11" : system.VersionId,
            }
            : system;
    }

    /// <summary>The id of a time zone on Windows and its IANA name, by the name that the agent tells; nulls where that is no such id.</summary>
    // What it tells is the zone's name at this time of year, in the guest's language; that of winter is the id, in English.
    public static (string? WindowsId, string? IanaId) FindTimeZone(string? name)
    {
#if NET
        var id = name == "Coordinated Universal Time" ? "UTC" : name?.Replace("Daylight Time", "Standard Time", StringComparison.Ordinal);
        return id is not null && TimeZoneInfo.TryConvertWindowsIdToIanaId(id, out var iana) ? (id, iana) : (null, null);
#else
        // .NET Framework has no such table.
        _ = name;
        return (null, null);
#endif
    }

    private static string? Known(string? text) => text is Unknown or "" ? null : text;

    private static string? As11(string? name) => name?.Replace("Windows 10", "Windows 11");
}
