


namespace QemuGuestAgent.EmbeddedAgent.Commands;

/// <summary>All commands that the embedded agent has. A new one is a row here and a method in its family's class.</summary>
internal static class CommandTable
{
    public const string DelimitedSync = "guest-sync-delimited";

    // In the order in which guest-info lists them.
    public static readonly IReadOnlyList<Command> All =
    [
        new("guest-network-get-route", NetworkCommands.Routes, OnlyOn: EmbeddedGuestOS.Linux),
        new("guest-get-load", SystemCommands.Load),
        new("guest-get-cpustats", ProcessorCommands.Statistics, OnlyOn: EmbeddedGuestOS.Linux),
        new("guest-get-diskstats", StorageCommands.Statistics, OnlyOn: EmbeddedGuestOS.Linux),
        new("guest-get-devices", DeviceCommands.Devices, OnlyOn: EmbeddedGuestOS.Windows),
        new("guest-get-osinfo", SystemCommands.OSInfo),
        new("guest-get-timezone", SystemCommands.TimeZone),
        new("guest-get-users", SystemCommands.Users),
        new("guest-get-host-name", SystemCommands.HostName),
        new("guest-ssh-remove-authorized-keys", UserCommands.RemoveSshKeys),
        new("guest-ssh-add-authorized-keys", UserCommands.AddSshKeys),
        new("guest-ssh-get-authorized-keys", UserCommands.SshKeys),
        new("guest-exec", ProcessCommands.Execute),
        new("guest-exec-status", ProcessCommands.Status),
        new("guest-get-memory-block-info", ProcessorCommands.MemoryBlockInfo, OnlyOn: EmbeddedGuestOS.Linux),
        new("guest-set-memory-blocks", ProcessorCommands.SetMemoryBlocks, OnlyOn: EmbeddedGuestOS.Linux),
        new("guest-get-memory-blocks", ProcessorCommands.MemoryBlocks, OnlyOn: EmbeddedGuestOS.Linux),
        new("guest-set-user-password", UserCommands.SetPassword),
        new("guest-get-fsinfo", StorageCommands.FileSystems),
        new("guest-get-disks", StorageCommands.Disks),
        new("guest-set-vcpus", ProcessorCommands.SetProcessors, OnlyOn: EmbeddedGuestOS.Linux),
        new("guest-get-vcpus", ProcessorCommands.Processors),
        new("guest-network-get-interfaces", NetworkCommands.Interfaces),
        new("guest-suspend-hybrid", PowerCommands.SuspendToMemory, SuccessResponse: false, OnlyOn: EmbeddedGuestOS.Linux),
        new("guest-suspend-ram", PowerCommands.SuspendToMemory, SuccessResponse: false),
        new("guest-suspend-disk", PowerCommands.SuspendToDisk, SuccessResponse: false),
        new("guest-fstrim", StorageCommands.Trim),
        new("guest-fsfreeze-thaw", FreezeCommands.Thaw, WorksWhileFrozen: true),
        new("guest-fsfreeze-freeze-list", FreezeCommands.FreezeList),
        new("guest-fsfreeze-freeze", FreezeCommands.Freeze),
        new("guest-fsfreeze-status", FreezeCommands.Status, WorksWhileFrozen: true),
        new("guest-file-flush", FileCommands.Flush),
        new("guest-file-seek", FileCommands.Seek),
        new("guest-file-write", FileCommands.Write),
        new("guest-file-read", FileCommands.Read),
        new("guest-file-close", FileCommands.Close),
        new("guest-file-open", FileCommands.Open),
        new("guest-shutdown", PowerCommands.Shutdown, SuccessResponse: false),
        new("guest-info", ChannelCommands.Info, WorksWhileFrozen: true),
        new("guest-set-time", SystemCommands.SetTime),
        new("guest-get-time", SystemCommands.Time),
        new("guest-ping", ChannelCommands.Ping, WorksWhileFrozen: true),
        new("guest-sync", ChannelCommands.Sync, WorksWhileFrozen: true),
        new(DelimitedSync, ChannelCommands.Sync, WorksWhileFrozen: true),
    ];
}
