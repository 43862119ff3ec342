namespace QemuGuestAgent.Core.Guests;

/// <summary>What runs a script in a guest.</summary>
public enum GuestInterpreter
{
    /// <summary>PowerShell 7: pwsh.</summary>
    PowerShell,

    /// <summary>Windows PowerShell 5.1: powershell.exe.</summary>
    WindowsPowerShell,

    /// <summary>The POSIX shell: /bin/sh.</summary>
    Sh,

    /// <summary>Bash.</summary>
    Bash,

    /// <summary>Windows' command interpreter: cmd.exe.</summary>
    Cmd,

    /// <summary>Python 3: python3.</summary>
    Python,
}
