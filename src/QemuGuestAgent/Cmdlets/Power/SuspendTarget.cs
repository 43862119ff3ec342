namespace QemuGuestAgent;

/// <summary>Where a suspended guest saves its state.</summary>
public enum SuspendTarget
{
    /// <summary>On its disk; it is switched off.</summary>
    Disk,

    /// <summary>In its memory; it sleeps.</summary>
    Memory,

    /// <summary>In both; it sleeps.</summary>
    Hybrid,
}
