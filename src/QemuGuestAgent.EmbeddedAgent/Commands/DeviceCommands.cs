using System.Text.Json.Nodes;

namespace QemuGuestAgent.EmbeddedAgent.Commands;

/// <summary>The command that lists the drivers of a Windows guest.</summary>
internal static class DeviceCommands
{
    // Nanoseconds since 1970: 2025-07-21.
    private const long DriverDate = 1753056000000000000;

    public static JsonNode? Devices(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        return new JsonArray(Device("Red Hat VirtIO Ethernet Adapter", 0x1000), Device("Red Hat VirtIO SCSI controller", 0x1001));
    }

    private static JsonObject Device(string name, int id) => new()
    {
        ["driver-date"] = DriverDate,
        ["driver-name"] = name,
        ["driver-version"] = "100.102.104.28500",
        ["id"] = new JsonObject { ["type"] = "pci", ["vendor-id"] = 0x1AF4, ["device-id"] = id },
    };
}
