using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations.Freezing;

/// <summary>The outcome of freezing a guest.</summary>
public enum FreezeResult
{
    /// <summary>It was frozen from before the work began until after it had ended: the thaw's own reply shows it.</summary>
    Consistent,

    /// <summary>The work failed or was cancelled, or did not begin because another guest could not be frozen.</summary>
    WorkFailed,

    /// <summary>It could not be frozen.</summary>
    NotFrozen,

    /// <summary>The time was over, and it was thawed before the work had ended.</summary>
    TimeLimit,

    /// <summary>Its session was closed, and it was thawed before the work had ended.</summary>
    SessionClosed,

    /// <summary>There was nothing left to thaw: something else had done it.</summary>
    ThawedEarly,

    /// <summary>It is thawed, but the reply that would show that it was frozen until then was lost.</summary>
    ThawReplyLost,

    /// <summary>It is thawed, but Windows let writes through before: it holds them for ten seconds only.</summary>
    WindowsFreezeLimit,

    /// <summary>It is thawed, but its agent reports a failure of that, such as of a hook.</summary>
    ThawFailed,

    /// <summary>Its agent did not confirm that it is thawed: it may be frozen still.</summary>
    LeftFrozen,
}

/// <summary>The outcome of freezing a guest.</summary>
/// <param name="Session">The session with its agent.</param>
/// <param name="Result">The outcome.</param>
/// <param name="FrozenCount">How many file systems the agent says it froze, or null where that reply was lost.</param>
/// <param name="ThawedCount">How many it says it thawed, or null where it does not; it may count otherwise than before.</param>
/// <param name="Duration">The time from when the freeze was sent until the guest was known to be thawed.</param>
/// <param name="Error">Why it is not consistent; null where it is, and where the caller's own work failed.</param>
public sealed record FreezeOutcome(
    GuestAgentSession Session, FreezeResult Result, int? FrozenCount, int? ThawedCount, TimeSpan Duration, GuestAgentException? Error)
{
    /// <summary>Whether what was made meanwhile is known to be consistent.</summary>
    public bool IsConsistent => Result == FreezeResult.Consistent;
}

/// <summary>Why a guest could not be frozen, or could not be thawed after that.</summary>
/// <param name="Session">The session with its agent.</param>
/// <param name="Error">What happened.</param>
public sealed record FreezeFailure(GuestAgentSession Session, GuestAgentException Error);
