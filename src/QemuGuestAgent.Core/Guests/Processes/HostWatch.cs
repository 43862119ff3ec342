namespace QemuGuestAgent.Core.Guests.Processes;

/// <summary>When a guest takes its host for gone.</summary>
/// <param name="Heartbeat">How often the host gives a sign of life, at least.</param>
/// <param name="Look">How often the guest looks for one.</param>
/// <param name="MaxMissed">So many looks without one, one after the other, are the end.</param>
internal sealed record HostWatch(TimeSpan Heartbeat, TimeSpan Look, int MaxMissed)
{
    /// <summary>Two minutes: long enough for a busy agent, and for file systems frozen for a snapshot.</summary>
    public static HostWatch Usual { get; } = new(TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(5), 24);
}
