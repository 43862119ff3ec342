namespace QemuGuestAgent;

/// <summary>Whether a guest uses a processor or a block of memory.</summary>
public enum OnlineState
{
    /// <summary>It does not.</summary>
    Offline,

    /// <summary>It does.</summary>
    Online,
}
