#if NET
using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace QemuGuestAgent.Remoting;

/// <summary>Describes a connection to a guest for PowerShell remoting. What only PowerShell 7.3 and later support is added by <see cref="EngineTypes"/>.</summary>
internal abstract class GuestConnectionInfo(GuestTransport transport, string guestName) : RunspaceConnectionInfo
{
    /// <summary>The transport that carries its bytes.</summary>
    public GuestTransport Transport { get; } = transport;

    /// <inheritdoc/>
    public override string ComputerName
    {
        get => guestName;
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override PSCredential? Credential
    {
        get => null;
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override AuthenticationMechanism AuthenticationMechanism
    {
        get => AuthenticationMechanism.Default;
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override string CertificateThumbprint
    {
        get => "";
        set => throw new NotSupportedException();
    }

    /// <summary>A copy: each runspace has its own.</summary>
    public RunspaceConnectionInfo Copy() => (RunspaceConnectionInfo)MemberwiseClone();
}
#endif
