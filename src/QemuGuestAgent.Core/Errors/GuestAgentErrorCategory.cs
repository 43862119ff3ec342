namespace QemuGuestAgent.Core.Errors;

/// <summary>
/// What kind of thing went wrong. The names are those of PowerShell's <c>ErrorCategory</c>, so that the module maps them by name.
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

    /// <summary>What was named is not there.</summary>
    ObjectNotFound,

    /// <summary>What was to be made is there already.</summary>
    ResourceExists,

    /// <summary>The operating system refuses access.</summary>
    PermissionDenied,

    /// <summary>The agent knows the command, and its policy has it disabled.</summary>
    NotEnabled,

    /// <summary>This platform cannot do it.</summary>
    NotImplemented,

    /// <summary>The channel cannot be opened, or was lost.</summary>
    ConnectionError,

    /// <summary>Nothing came within the time given.</summary>
    OperationTimeout,

    /// <summary>The peer does not keep to the protocol.</summary>
    ProtocolError,

    /// <summary>Somebody else is using it.</summary>
    ResourceBusy,

    /// <summary>It was closed.</summary>
    ResourceUnavailable,

    /// <summary>A bound that protects the host was reached.</summary>
    LimitsExceeded,
}
