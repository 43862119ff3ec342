namespace QemuGuestAgent;

/// <summary>Whether a guest uses a processor or memory block.</summary>
public enum OnlineState
{
    /// <summary>It is not used.</summary>
    Offline,

    /// <summary>It is used.</summary>
    Online,
}
