using QemuGuestAgent.Core.Operations.Freezing;

namespace QemuGuestAgent;

/// <summary>The outcome for one guest of Use-QemuGuestFrozenFileSystem.</summary>
public sealed class AgentFreezeOutcome
{
    internal AgentFreezeOutcome(AgentSession session, FreezeOutcome outcome, string? workError)
    {
        PSGuestName = session.Name;
        PSHostName = session.HostName;
        IsConsistent = outcome.IsConsistent;
        Result = outcome.Result.ToString();
        FrozenCount = outcome.FrozenCount;
        ThawedCount = outcome.ThawedCount;
        Duration = outcome.Duration;
        Reason = outcome.Error?.Message ?? (outcome.IsConsistent ? null : workError);
    }

    /// <summary>The name of the session.</summary>
    public string PSGuestName { get; }

    /// <summary>The host that ssh or libvirt reaches the guest through; null where that is this computer.</summary>
    public string? PSHostName { get; }

    /// <summary>Whether a snapshot taken meanwhile is known to be consistent: the guest was frozen until the script block had ended.</summary>
    public bool IsConsistent { get; }

    /// <summary>
    /// The result: Consistent, WorkFailed, NotFrozen, TimeLimit, SessionClosed, ThawedEarly, ThawReplyLost, WindowsFreezeLimit, ThawFailed or
    /// LeftFrozen.
    /// </summary>
    public string Result { get; }

    /// <summary>The number of file systems that the agent reports as frozen, or null if that reply was lost.</summary>
    public int? FrozenCount { get; }

    /// <summary>The number that it reports as thawed, or null if unknown; the agent may count them differently than when freezing.</summary>
    public int? ThawedCount { get; }

    /// <summary>The time from when the freeze was sent until the guest was known to be thawed.</summary>
    public TimeSpan Duration { get; }

    /// <summary>The reason why it is not consistent, or null.</summary>
    public string? Reason { get; }

    /// <summary>The guest and the result.</summary>
    public override string ToString() => $"{PSGuestName}: {Result}";
}
