namespace QemuGuestAgent.Core.Operations.Freezing;

/// <summary>How guests are frozen, and how long is tried to thaw them.</summary>
public sealed record FreezeOptions
{
    /// <summary>Mount points of the file systems to freeze; null for all.</summary>
    public IReadOnlyList<string>? MountPoints { get; init; }

    /// <summary>How long the guests may be frozen at most, from the first freeze on; then they are thawed at once. Zero is no limit.</summary>
    public TimeSpan MaximumTime { get; init; }

    /// <summary>
    /// How long an answer that matters (is it frozen, is it thawed) is asked for, whatever is lost meanwhile; 60 seconds. Nobody's
    /// giving up shortens it.
    /// </summary>
    public TimeSpan SettleTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a single reply is waited for in it, before it is asked for again; 10 seconds.</summary>
    public TimeSpan AttemptTime { get; init; } = TimeSpan.FromSeconds(10);
}
