namespace QemuGuestAgent.EmbeddedAgent;

/// <summary>The operating system that an embedded agent pretends to run on.</summary>
public enum EmbeddedGuestOS
{
    /// <summary>Debian.</summary>
    Linux,

    /// <summary>Windows Server.</summary>
    Windows,
}
