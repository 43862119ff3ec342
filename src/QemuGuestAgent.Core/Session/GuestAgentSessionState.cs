namespace QemuGuestAgent.Core.Session;

/// <summary>Where a session stands.</summary>
public enum GuestAgentSessionState
{
    /// <summary>Closed permanently.</summary>
    Closed,

    /// <summary>The endpoint is being opened.</summary>
    Connecting,

    /// <summary>Open, but what comes next from the agent may answer an earlier request: synchronised before the next command.</summary>
    OutOfSync,

    /// <summary>Open and in sync.</summary>
    Ready,

    /// <summary>A command is being carried out.</summary>
    Busy,

    /// <summary>The peer is gone, or passed a bound. Synchronising opens the endpoint again.</summary>
    Faulted,
}
