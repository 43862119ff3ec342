namespace QemuGuestAgent.EmbeddedAgent.Guest;

/// <summary>The imaginary guest: what outlives the agent.</summary>
internal sealed class GuestMachine
{
    // qemu-ga keeps the last one in its state directory, so that no life reuses a handle of the one before.
    private long _lastHandle = 999;
    private long _lastProcessId = 1000;

    public GuestMachine(EmbeddedGuestAgentOptions options)
    {
        Options = options;
        Files = new MemoryFileSystem(options.DiskSize, options.GuestOS == EmbeddedGuestOS.Windows);
        if (options.GuestOS == EmbeddedGuestOS.Linux)
        {
            Files.Add("/etc/hostname", options.HostName + "\n");
            Files.Add("/etc/os-release", OSInformation.ReleaseFile);
            Files.AddDirectory("/bin");
            Files.AddDirectory("/root");
            Files.AddDirectory("/tmp");
            Files.AddDirectory("/usr/bin");
            Files.AddDirectory("/var/tmp");
        }
        else
        {
            Files.Add(@"C:\Windows\System32\drivers\etc\hosts", "127.0.0.1 localhost\r\n");
            Files.AddDirectory(@"C:\Users\Administrator");
            Files.AddDirectory(@"C:\Windows\Temp");
        }
    }

    public EmbeddedGuestAgentOptions Options { get; }

    public MemoryFileSystem Files { get; }

    /// <summary>When the file systems were frozen, or null.</summary>
    public DateTimeOffset? FrozenSince { get; set; }

    public bool IsFrozen
    {
        get => FrozenSince is not null;
        set => FrozenSince = value ? Now : null;
    }

    /// <summary>Whether each processor is online.</summary>
    public bool[] OnlineProcessors { get; } = [true, true];

    /// <summary>Whether each memory block is online.</summary>
    public bool[] OnlineMemoryBlocks { get; } = [true, true, true, true, true, true, true, true];

    public DateTimeOffset Now => Options.TimeProvider.GetUtcNow();

    /// <summary>How far the clock that the guest shows has been set ahead.</summary>
    public TimeSpan ClockOffset { get; set; }

    public DateTimeOffset Clock => Now + ClockOffset;

    /// <summary>The home folder of a user, or null for one that there is not.</summary>
    public string? HomeOf(string user) => (Options.GuestOS, user) switch
    {
        (EmbeddedGuestOS.Linux, "root") => "/root",
        (EmbeddedGuestOS.Windows, "Administrator") => @"C:\Users\Administrator",
        _ => null,
    };

    public long NextHandle() => ++_lastHandle;

    public long NextProcessId() => ++_lastProcessId;
}
