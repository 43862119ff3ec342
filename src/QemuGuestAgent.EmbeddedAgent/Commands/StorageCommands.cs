using System.Text.Json.Nodes;

namespace QemuGuestAgent.EmbeddedAgent.Commands;

/// <summary>The commands on the guest's disks and what lies on them.</summary>
internal static class StorageCommands
{
    public const int FileSystemCount = 2;

    private const string WindowsDisk = @"\\.\PhysicalDrive0";
    private const long BootSize = 499L << 20;
    private const long BootUsed = 88L << 20;

    public static JsonNode? FileSystems(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        return FileSystems(agent);
    }

    private static JsonArray FileSystems(AgentContext agent)
    {
        var files = agent.Machine.Files;
        return agent.Options.GuestOS == EmbeddedGuestOS.Windows
            ? new JsonArray(
                FileSystem(@"\\?\Volume{501f}\", @"C:\", "NTFS", WindowsDisk, files.Size, files.Used),
                FileSystem(@"\\?\Volume{1000}\", "System Reserved", "NTFS", WindowsDisk, BootSize, BootUsed))
            : new JsonArray(
                FileSystem("vda2", "/", "ext4", "/dev/vda2", files.Size, files.Used),
                FileSystem("vda1", "/boot", "ext4", "/dev/vda1", BootSize, BootUsed));
    }

    public static JsonNode? Disks(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        return agent.Options.GuestOS == EmbeddedGuestOS.Windows
            ? new JsonArray(Disk(WindowsDisk, isPartition: false, parent: null, Address(WindowsDisk)))
            : new JsonArray(
                Disk("/dev/vda1", isPartition: true, parent: "/dev/vda", address: null),
                Disk("/dev/vda2", isPartition: true, parent: "/dev/vda", address: null),
                Disk("/dev/vda", isPartition: false, parent: null, Address("/dev/vda")));
    }

    public static JsonNode? Statistics(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        return new JsonArray(DiskStatistics("vda", 0, 4096), DiskStatistics("vda1", 1, 512), DiskStatistics("vda2", 2, 3584));
    }

    public static JsonNode? Trim(AgentContext agent, CommandArguments arguments)
    {
        var minimum = arguments.OptionalInteger("minimum") ?? 0;
        arguments.End();
        // Windows trims what has a letter, by a program that tells no numbers.
        var paths = agent.Options.GuestOS == EmbeddedGuestOS.Windows
            ? [new JsonObject { ["path"] = @"C:\" }]
            : Mounted(agent).Select(of => Trim(of, minimum)).ToArray<JsonNode?>();
        return new JsonObject { ["paths"] = new JsonArray(paths) };
    }

    /// <summary>The mounted file systems and their sizes, in bytes.</summary>
    public static IEnumerable<(string MountPoint, long Size, long Used)> Mounted(AgentContext agent) =>
        FileSystems(agent).Select(of => ((string)of!["mountpoint"]!, (long)of["total-bytes"]!, (long)of["used-bytes"]!));

    private static JsonObject Trim((string MountPoint, long Size, long Used) fileSystem, long minimum) =>
        minimum > fileSystem.Size
        ? new JsonObject { ["path"] = fileSystem.MountPoint, ["error"] = "failed to trim: Invalid argument" }
        : new JsonObject
        {
            ["minimum"] = minimum,
            ["path"] = fileSystem.MountPoint,
            ["trimmed"] = fileSystem.Size - fileSystem.Used,
        };

    private static JsonObject FileSystem(
        string name, string mountPoint, string type, string device, long total, long used) => new()
    {
        ["name"] = name,
        ["total-bytes"] = total,
        ["total-bytes-privileged"] = total,
        ["mountpoint"] = mountPoint,
        ["disk"] = new JsonArray(Address(device)),
        ["used-bytes"] = used,
        ["type"] = type,
    };

    private static JsonObject Disk(string name, bool isPartition, string? parent, JsonObject? address)
    {
        var disk = new JsonObject
        {
            ["name"] = name,
            ["dependencies"] = parent is null ? new JsonArray() : new JsonArray(parent),
            ["partition"] = isPartition,
        };
        if (address is not null)
        {
            disk["address"] = address;
        }

        return disk;
    }

    private static JsonObject Address(string device) => new()
    {
        ["bus-type"] = "virtio",
        ["bus"] = 0,
        ["unit"] = 0,
        ["pci-controller"] = new JsonObject { ["bus"] = 0, ["slot"] = 4, ["domain"] = 0, ["function"] = 0 },
        ["dev"] = device,
        ["target"] = 0,
    };

    private static JsonObject DiskStatistics(string name, int minor, int requests) => new()
    {
        ["name"] = name,
        ["stats"] = new JsonObject
        {
            ["discard-sectors"] = 0,
            ["write-ios"] = requests,
            ["discard-ios"] = 0,
            ["discard-ticks"] = 0,
            ["weight-ticks"] = requests * 3,
            ["read-ios"] = requests * 2,
            ["flush-ios"] = requests / 4,
            ["write-sectors"] = requests * 16,
            ["write-merges"] = requests / 8,
            ["write-ticks"] = requests,
            ["ios-pgr"] = 0,
            ["read-sectors"] = requests * 32,
            ["read-merges"] = requests / 16,
            ["total-ticks"] = requests * 2,
            ["discard-merges"] = 0,
            ["flush-ticks"] = 0,
            ["read-ticks"] = requests * 2,
        },
        ["minor"] = minor,
        ["major"] = 254,
    };
}
