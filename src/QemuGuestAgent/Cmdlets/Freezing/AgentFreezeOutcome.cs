using QemuGuestAgent.Core.Operations.Freezing;

namespace QemuGuestAgent;

/// <summary>What came of freezing a guest with Use-QemuGuestFrozenFileSystem.</summary>
public sealed class AgentFreezeOutcome
{
    internal AgentFreezeOutcome(AgentSession session, FreezeOutcome outcome, string? workError)
    {
        PSGuestName = session.Name;
        IsConsistent = outcome.IsConsistent;
        Result = outcome.Result.ToString();
        FrozenCount = outcome.FrozenCount;
        ThawedCount = outcome.ThawedCount;
        Duration = outcome.Duration;
        Reason = outcome.Error?.Message ?? (outcome.IsConsistent ? null : workError);
    }

    /// <summary>The name of the session.</summary>
    public string PSGuestName { get; }

    /// <summary>Whether what was made meanwhile is known to be consistent: the guest was frozen until the script block had ended.</summary>
    public bool IsConsistent { get; }

    /// <summary>
    /// What came of it: Consistent, WorkFailed, TimeLimit, SessionClosed, ThawedEarly, ThawReplyLost, WindowsFreezeLimit, ThawFailed or
    /// LeftFrozen.
    /// </summary>
    public string Result { get; }

    /// <summary>How many file systems the agent says it froze, or null where that reply was lost.</summary>
    public int? FrozenCount { get; }

    /// <summary>How many it says it thawed, or null where it does not; it may count otherwise than before.</summary>
    public int? ThawedCount { get; }

    /// <summary>The time from when the freeze was sent until the guest was known to be thawed.</summary>
    public TimeSpan Duration { get; }

    /// <summary>Why it is not consistent, or null.</summary>
    public string? Reason { get; }
}
