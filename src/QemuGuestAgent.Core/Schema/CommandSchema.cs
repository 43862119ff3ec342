namespace QemuGuestAgent.Core.Schema;

/// <summary>All commands of the agent of QEMU 11.1, in one list that everything else uses.</summary>
public static class CommandSchema
{
    // Commands without a cmdlet are reached through this one.
    internal const string Invoke = "Invoke-QemuGuestAgentCommand";

    private static readonly CommandArgument SyncId = new("id", "int");
    private static readonly CommandArgument FileHandle = new("handle", "int");
    private static readonly CommandArgument UserName = new("username", "string");
    private static readonly CommandArgument Keys = new("keys", "[string]");

    /// <summary>The commands, by family.</summary>
    public static IReadOnlyList<CommandDefinition> All { get; } =
    [
        // The channel.
        new("guest-sync-delimited", "1.1", "Sync-QemuGuestAgent",
            "Returns the id after a 0xFF byte, to synchronise with the agent.")
        {
            Arguments = [SyncId], Returns = "int", WorksWhileFrozen = true,
        },
        new("guest-sync", "0.15", "Sync-QemuGuestAgent",
            "Returns the id, to synchronise with an agent that lacks guest-sync-delimited.")
        {
            Arguments = [SyncId], Returns = "int", WorksWhileFrozen = true,
        },
        new("guest-ping", "0.15", "Test-QemuGuestAgent",
            "Does nothing: a reply shows that the agent is running.") { WorksWhileFrozen = true },
        new("guest-info", "0.15", "Get-QemuGuestAgentCommand",
            "Returns the agent's version and commands, and which of them are enabled.")
        {
            Returns = "{version, supported_commands: [{name, enabled, success-response}]}", WorksWhileFrozen = true,
        },

        // The system.
        new("guest-get-time", "1.5", "Get-QemuGuestTime",
            "Returns the guest's time, in nanoseconds since 1970 in UTC.") { Returns = "int" },
        new("guest-set-time", "1.5", "Set-QemuGuestTime",
            "Sets the guest's clock and its RTC to a time, or the clock from its RTC.")
        {
            Arguments = [new("time", "int", isOptional: true)],
        },
        new("guest-get-timezone", "2.10", "Get-QemuGuestTime",
            "Returns the guest's time zone and its offset from UTC, in seconds.")
        {
            Returns = "{*zone, offset}",
        },
        new("guest-get-host-name", "2.10", "Get-QemuGuest", "Returns the guest's host name.") { Returns = "{host-name}" },
        new("guest-get-osinfo", "2.10", "Get-QemuGuest", "Returns the guest's operating system, kernel and machine type.")
        {
            Returns = "{*kernel-release, *kernel-version, *machine, *id, *name, *pretty-name, *version, *version-id, *variant, "
                + "*variant-id}",
        },
        new("guest-get-users", "2.10", "Get-QemuGuestUser", "Lists the users who are logged in, and since when.")
        {
            Returns = "[{user, login-time, *domain}]",
        },
        new("guest-get-load", "10.0", "Get-QemuGuestLoad", "Returns the load averages of 1, 5 and 15 minutes.")
        {
            Returns = "{load1m, load5m, load15m}",
        },
        new("guest-get-devices", "5.2", "Get-QemuGuestDevice", "Lists the device drivers of a Windows guest.")
        {
            Returns = "[{driver-name, *driver-date, *driver-version, *id: {type, vendor-id, device-id}}]", OnlyIn = "Windows",
        },

        // Processors and memory.
        new("guest-get-vcpus", "1.5", "Get-QemuGuestProcessor", "Lists the logical processors, and which of them are online.")
        {
            Returns = "[{logical-id, online, *can-offline}]",
        },
        new("guest-set-vcpus", "1.5", "Set-QemuGuestProcessor",
            "Takes processors online or offline; returns how many, counted from the first.")
        {
            Arguments = [new("vcpus", "[{logical-id: int, online: bool}]")], Returns = "int", OnlyIn = "Linux",
        },
        new("guest-get-cpustats", "7.1", "Get-QemuGuestProcessorStatistic",
            "Returns how each processor has spent its time, in milliseconds.")
        {
            Returns = "[{type, cpu, user, nice, system, idle, *iowait, *irq, *softirq, *steal, *guest, *guestnice}]", OnlyIn = "Linux",
        },
        new("guest-get-memory-blocks", "2.3", "Get-QemuGuestMemoryBlock",
            "Lists the memory blocks, and which of them are online.")
        {
            Returns = "[{phys-index, online, *can-offline}]", OnlyIn = "Linux",
        },
        new("guest-set-memory-blocks", "2.3", "Set-QemuGuestMemoryBlock",
            "Takes memory blocks online or offline; returns the result for each.")
        {
            Arguments = [new("mem-blks", "[{phys-index: int, online: bool}]")], Returns = "[{phys-index, response, *error-code}]", OnlyIn = "Linux",
        },
        new("guest-get-memory-block-info", "2.3", "Get-QemuGuestMemoryBlock",
            "Returns the size of a memory block, in bytes.")
        {
            Returns = "{size}", OnlyIn = "Linux",
        },

        // The network.
        new("guest-network-get-interfaces", "1.1", "Get-QemuGuestNetworkInterface",
            "Lists the network interfaces with their addresses.")
        {
            Returns = "[{name, *hardware-address, *ip-addresses: [{ip-address, ip-address-type, prefix}], *statistics: {…}}]",
        },
        new("guest-network-get-route", "9.1", "Get-QemuGuestNetworkRoute", "Lists the network routes.")
        {
            Returns = "[{iface, destination, metric, *gateway, *mask, *irtt, *flags, …, version}]", OnlyIn = "Linux",
        },

        // Disks and file systems.
        new("guest-get-disks", "5.2", "Get-QemuGuestDisk",
            "Lists the disks and partitions, and the devices that they consist of.")
        {
            Returns = "[{name, partition, *dependencies, *address: {…}, *alias, *smart: {…}}]",
        },
        new("guest-get-diskstats", "7.1", "Get-QemuGuestDiskStatistic", "Returns the counters of each disk.")
        {
            Returns = "[{name, major, minor, stats: {…}}]", OnlyIn = "Linux",
        },
        new("guest-get-fsinfo", "2.2", "Get-QemuGuestFileSystem",
            "Lists the mounted file systems and how full they are.")
        {
            Returns = "[{name, mountpoint, type, *used-bytes, *total-bytes, *total-bytes-privileged, disk: [{…}]}]",
        },
        new("guest-fstrim", "1.2", "Optimize-QemuGuestFileSystem",
            "Returns unused blocks of the file systems to the disk.")
        {
            Arguments = [new("minimum", "int", isOptional: true)], Returns = "{paths: [{path, *trimmed, *minimum, *error}]}",
        },
        new("guest-fsfreeze-status", "0.15", "Test-QemuGuestAgent", "Returns whether the file systems are thawed or frozen.")
        {
            Returns = "thawed|frozen", WorksWhileFrozen = true,
        },
        new("guest-fsfreeze-freeze", "0.15", "Use-QemuGuestFrozenFileSystem",
            "Freezes all local file systems for a snapshot; returns how many.") { Returns = "int" },
        new("guest-fsfreeze-freeze-list", "2.2", "Use-QemuGuestFrozenFileSystem",
            "Freezes the file systems at the given mount points; returns how many.")
        {
            Arguments = [new("mountpoints", "[string]", isOptional: true)], Returns = "int",
        },
        new("guest-fsfreeze-thaw", "0.15", "Resume-QemuGuestFileSystem", "Thaws all frozen file systems; returns how many.")
        {
            Returns = "int", WorksWhileFrozen = true,
        },

        // Users.
        new("guest-set-user-password", "2.3", "Set-QemuGuestUserPassword",
            "Sets a user's password, given as plain text or as a hash.")
        {
            Arguments = [UserName, new("password", "base64"), new("crypted", "bool")],
        },
        new("guest-ssh-get-authorized-keys", "5.2", "Get-QemuGuestSshKey", "Lists a user's public keys for ssh.")
        {
            Arguments = [UserName], Returns = "{keys: [string]}",
        },
        new("guest-ssh-add-authorized-keys", "5.2", "Add-QemuGuestSshKey",
            "Adds to a user's public keys for ssh.")
        {
            Arguments = [UserName, Keys, new("reset", "bool", isOptional: true)],
        },
        new("guest-ssh-remove-authorized-keys", "5.2", "Remove-QemuGuestSshKey",
            "Removes from a user's public keys for ssh.")
        {
            Arguments = [UserName, Keys],
        },

        // Processes.
        new("guest-exec", "2.5", "Start-QemuGuestProcess", "Starts a program; returns its process id.")
        {
            Arguments =
            [
                new("path", "string"),
                new("arg", "[string]", isOptional: true),
                new("env", "[string]", isOptional: true),
                new("input-data", "base64", isOptional: true),
                new("capture-output", "bool, since 8.1 also none|stdout|stderr|separated|merged", isOptional: true),
            ],
            Returns = "{pid}",
        },
        new("guest-exec-status", "2.5", "Get-QemuGuestProcess",
            "Returns whether a program has ended and, only once, its output.")
        {
            Arguments = [new("pid", "int")],
            Returns = "{exited, *exitcode, *signal, *out-data, *err-data, *out-truncated, *err-truncated}",
        },

        // Files.
        new("guest-file-open", "0.15", "Copy-QemuGuestItem", "Opens a file; returns its handle.")
        {
            Arguments = [new("path", "string"), new("mode", "string, as for C's fopen", isOptional: true)], Returns = "int",
        },
        new("guest-file-close", "0.15", "Copy-QemuGuestItem", "Closes an open file.") { Arguments = [FileHandle] },
        new("guest-file-read", "0.15", "Get-QemuGuestContent", "Reads from an open file: 4096 bytes by default, at most 48 MiB.")
        {
            Arguments = [FileHandle, new("count", "int", isOptional: true)], Returns = "{count, buf-b64, eof}",
        },
        new("guest-file-write", "0.15", "Set-QemuGuestContent", "Writes to an open file; returns how many bytes.")
        {
            Arguments = [FileHandle, new("buf-b64", "base64"), new("count", "int", isOptional: true)], Returns = "{count, eof}",
        },
        new("guest-file-seek", "0.15", "Get-QemuGuestContent", "Moves to a position in an open file and returns it.")
        {
            Arguments = [FileHandle, new("offset", "int"), new("whence", "set|cur|end")], Returns = "{position, eof}",
        },
        new("guest-file-flush", "0.15", "Set-QemuGuestContent",
            "Flushes an open file.") { Arguments = [FileHandle] },

        // Power.
        new("guest-shutdown", "0.15", "Stop-QemuGuest", "Shuts the guest down, or restarts it.")
        {
            Arguments = [new("mode", "powerdown|halt|reboot", isOptional: true)], SuccessResponse = false,
        },
        new("guest-suspend-disk", "1.1", "Suspend-QemuGuest", "Suspends the guest to its disk.") { SuccessResponse = false },
        new("guest-suspend-ram", "1.1", "Suspend-QemuGuest", "Suspends the guest to its memory.") { SuccessResponse = false },
        new("guest-suspend-hybrid", "1.1", "Suspend-QemuGuest",
            "Suspends the guest to its memory and its disk.") { SuccessResponse = false, OnlyIn = "Linux" },
    ];

    private static readonly Dictionary<string, CommandDefinition> ByName =
        All.ToDictionary(command => command.Name, StringComparer.Ordinal);

    /// <summary>The command of that name, or null.</summary>
    /// <param name="name">The command's name.</param>
    public static CommandDefinition? Find(string name) => ByName.TryGetValue(name, out var command) ? command : null;

    /// <summary>Whether the guest is frozen after the command succeeded; null for one that does not show it.</summary>
    /// <param name="name">The command's name.</param>
    public static bool? LeavesFrozen(string name) => name switch
    {
        "guest-fsfreeze-freeze" or "guest-fsfreeze-freeze-list" => true,
        "guest-fsfreeze-thaw" => false,
        _ => Find(name) is { WorksWhileFrozen: false } ? false : null,
    };
}
