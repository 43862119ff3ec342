using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests;

/// <summary>A PowerShell of a guest that serves remoting by its standard input and output.</summary>
/// <param name="Path">The program.</param>
/// <param name="Arguments">Its arguments.</param>
public sealed record GuestShell(string Path, IReadOnlyList<string> Arguments)
{
    // Windows PowerShell knows no server for ssh, but the one that Start-Job speaks with, which talks alike.
    private const string WindowsServer = "-s";
    private const string Server = "-sshs";

    /// <summary>The PowerShell for remoting in a guest.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="path">Its path; null for the one that such a guest usually has.</param>
    /// <param name="call">Time limit and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="Errors.GuestAgentException">Those of a command.</exception>
    public static async Task<GuestShell> FindAsync(
        GuestAgentSession session, string? path, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var platform = await GuestPlatform.FindAsync(session, new OperationTime(session.Clock, call), cancellationToken).ConfigureAwait(false);
        path ??= platform.DefaultInterpreter(isPowerShell: true) == GuestInterpreter.WindowsPowerShell ? "powershell.exe" : "pwsh";
        var isWindowsPowerShell = platform.Paths.Name(path).ToUpperInvariant() is "POWERSHELL.EXE" or "POWERSHELL";
        return new GuestShell(path, ["-NoLogo", "-NoProfile", isWindowsPowerShell ? WindowsServer : Server]);
    }
}
