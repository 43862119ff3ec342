namespace QemuGuestAgent.Core.Session;

/// <summary>The bounds that protect a host from its guest. The guest is hostile until shown otherwise.</summary>
public sealed record GuestAgentSessionOptions
{
    /// <summary>The longest reply taken, in bytes; 64 MiB. An exec-status of QEMU's agent has 45 MB at most.</summary>
    public long MaxReplyBytes { get; init; } = 64 << 20;

    /// <summary>The most bytes thrown away in one synchronisation; 256 MiB.</summary>
    public long MaxSyncBytes { get; init; } = 256 << 20;

    /// <summary>The deepest nesting taken in a reply; 64.</summary>
    public int MaxReplyDepth { get; init; } = 64;

    /// <summary>The most values, keys included, taken in a reply; 2,000,000.</summary>
    public int MaxReplyValues { get; init; } = 2_000_000;

    /// <summary>
    /// How long silence after a command whose success is no reply (guest-shutdown, guest-suspend-…) is waited out before it counts as
    /// success; 5 seconds. An agent that is still there shows success sooner.
    /// </summary>
    public TimeSpan NoReplyWait { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long the answer to a sync is waited for before it is sent again, and twice as long each time; 3 seconds. Zero sends it once.
    /// </summary>
    public TimeSpan SyncRepeatWait { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>The clock; tests bring their own.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
