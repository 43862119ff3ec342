using System.Text.Json.Nodes;

namespace QemuGuestAgent.EmbeddedAgent.Guest;

/// <summary>What the guest reports about its operating system.</summary>
internal static class OSInformation
{
    public const string ReleaseFile = """
        PRETTY_NAME="Debian GNU/Linux 13 (trixie)"
        NAME="Debian GNU/Linux"
        VERSION_ID="13"
        VERSION="13 (trixie)"
        VERSION_CODENAME=trixie
        ID=debian

        """;

    public static JsonObject For(EmbeddedGuestOS system) => system == EmbeddedGuestOS.Linux
        ? new JsonObject
        {
            ["name"] = "Debian GNU/Linux",
            ["kernel-release"] = "6.12.48+deb13-amd64",
            ["version"] = "13 (trixie)",
            ["pretty-name"] = "Debian GNU/Linux 13 (trixie)",
            ["version-id"] = "13",
            ["kernel-version"] = "#1 SMP PREEMPT_DYNAMIC Debian 6.12.48-1 (2025-09-20)",
            ["machine"] = "x86_64",
            ["id"] = "debian",
        }
        : new JsonObject
        {
            ["name"] = "Microsoft Windows",
            ["kernel-release"] = "20348",
            ["version"] = "Microsoft Windows Server 2022",
            ["variant"] = "server",
            ["pretty-name"] = "Windows Server 2022 Standard",
            ["version-id"] = "2022",
            ["variant-id"] = "server",
            ["kernel-version"] = "10.0",
            ["machine"] = "x86_64",
            ["id"] = "mswindows",
        };
}
