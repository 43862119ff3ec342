namespace QemuGuestAgent.Core.Endpoints.Libvirt;

/// <summary>An error of libvirt.</summary>
/// <param name="code">Its code.</param>
/// <param name="message">Its text, in the language of libvirt's host.</param>
/// <param name="systemError">The errno behind it, or -1.</param>
internal sealed class LibvirtException(LibvirtError code, string message, int systemError = -1) : Exception(message)
{
    public LibvirtError Code => code;

    public int SystemError => systemError;
}

/// <summary>The libvirt errors that are distinguished (virErrorNumber in libvirt/virterror.h).</summary>
internal enum LibvirtError
{
    Internal = 1,
    OperationDenied = 29,
    System = 38,
    Rpc = 39,
    NoDomain = 42,
    AuthenticationFailed = 45,
    OperationInvalid = 55,
    OperationTimeout = 68,
    ArgumentUnsupported = 74,
    AuthenticationCancelled = 79,
    AgentUnresponsive = 86,
    AccessDenied = 88,
    AuthenticationUnavailable = 94,
    AgentUnsynchronised = 97,

    // Since 11.2; before, it is AgentUnresponsive.
    AgentCommandTimeout = 112,
}
