namespace QemuGuestAgent.Core.Errors;

/// <summary>
/// The kind of an error. The names are those of PowerShell's <c>ErrorCategory</c>, so that the module maps them by name.
/// </summary>
public enum GuestAgentErrorCategory
{
    /// <summary>The caller's input is not usable.</summary>
    InvalidArgument,

    /// <summary>The caller's input has a type that cannot be sent.</summary>
    InvalidType,

    /// <summary>The caller's input, or the peer's reply, holds data that breaks the rules of the protocol.</summary>
    InvalidData,

    /// <summary>The agent carried the command out and reports that it failed.</summary>
    InvalidResult,

    /// <summary>What was named does not exist.</summary>
    ObjectNotFound,

    /// <summary>What should be created already exists.</summary>
    ResourceExists,

    /// <summary>The operating system refuses access.</summary>
    PermissionDenied,

    /// <summary>The agent has the command, but its policy disables it.</summary>
    NotEnabled,

    /// <summary>This platform cannot do it.</summary>
    NotImplemented,

    /// <summary>The channel cannot be opened, or was lost.</summary>
    ConnectionError,

    /// <summary>Nothing arrived within the time limit.</summary>
    OperationTimeout,

    /// <summary>The peer violates the protocol.</summary>
    ProtocolError,

    /// <summary>It is in use.</summary>
    ResourceBusy,

    /// <summary>It was closed.</summary>
    ResourceUnavailable,

    /// <summary>A limit that protects the host was reached.</summary>
    LimitsExceeded,
}
