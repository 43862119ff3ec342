using System.Globalization;
using System.Text;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Posix;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Windows;

/// <summary>Guests with Windows.</summary>
internal sealed class WindowsPlatform : GuestPlatform
{
    /// <inheritdoc/>
    public override GuestPath Paths => GuestPath.Windows;

    /// <inheritdoc/>
    public override StringComparer VariableNames => StringComparer.OrdinalIgnoreCase;

    /// <inheritdoc/>
    public override bool FollowsOutput => false;

    /// <inheritdoc/>
    public override bool ReadsShebangs => false;

    /// <inheritdoc/>
    public override bool OpensNewFilesToAll => false;

    /// <summary>What the shadow copy service allows (qemu-ga: "fsfreeze is limited up to 10 seconds").</summary>
    public override TimeSpan? FreezeLimit => TimeSpan.FromSeconds(10);

    /// <summary>It runs defrag, which knows none.</summary>
    public override bool IgnoresTrimMinimum => true;

    /// <inheritdoc/>
    public override string AccountName(string userName, bool isHash, GuestAgentEndpoint endpoint)
    {
        if (isHash)
        {
            throw ErrorCatalogue.PasswordHashRefused.WithTarget(userName, endpoint);
        }

        var name = userName.StartsWith(@".\", StringComparison.Ordinal) ? userName.Substring(2) : userName;
        return name.IndexOfAny(['\\', '@']) < 0 ? name : throw ErrorCatalogue.AccountNotLocal.With(userName, endpoint);
    }

    /// <inheritdoc/>
    public override GuestInterpreter DefaultInterpreter(bool isPowerShell) => GuestInterpreter.WindowsPowerShell;

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<string>> GetEnvironmentAsync(
        GuestAgentSession session, OperationTime time, CancellationToken cancellationToken)
    {
        // With /u what cmd itself prints is UTF-16, whatever the code page. Each variable is a line; cmd's own start with '='.
        var output = await ReadEnvironmentByAsync(
            session, new GuestExecution("cmd.exe", "/d", "/u", "/c", "set"), time, cancellationToken).ConfigureAwait(false);
        return [.. Encoding.Unicode.GetString(output).Split(["\r\n"], StringSplitOptions.None).Where(line => line.IndexOf('=') > 0)];
    }

    /// <inheritdoc/>
    public override GuestExecution Launch(GuestExecution execution, GuestProcessStart start, string token, GuestAgentEndpoint endpoint) =>
        start.UserName is not null ? throw ErrorCatalogue.NotInWindowsGuest.WithTarget("UserName", "Running as another user", endpoint)
        : start.OutputPath is not null || start.ErrorPath is not null
            ? throw ErrorCatalogue.NotInWindowsGuest.WithTarget("RedirectStandardOutput", "Output into a file", endpoint)
        : WindowsLauncher.Wrap(execution, token, start.WorkingDirectory!);

    /// <inheritdoc/>
    public override Task<GuestProcessResult> FollowAsync(
        GuestAgentSession session, GuestProcessStart start, HostWatch watch, Func<GuestOutputKind, byte[], Task> take, bool keepsOnTimeOut,
        OperationTime time, CancellationToken cancellationToken) =>
        // Its agent opens no file that somebody writes to.
        throw ErrorCatalogue.NotInWindowsGuest.WithTarget("Stream", "Live output", session.Endpoint);

    /// <inheritdoc/>
    public override Task<InteractiveProcess> StartInteractiveAsync(
        GuestAgentSession session, GuestExecution program, string? userName, HostWatch watch, OperationTime time,
        CancellationToken cancellationToken) =>
        throw ErrorCatalogue.NotInWindowsGuest.WithTarget(program.Path, "An interactive session", session.Endpoint);

    /// <inheritdoc/>
    public override Task<string?> KillTreeAsync(
        GuestAgentSession session, long processId, OperationTime time, CancellationToken cancellationToken) =>
        KillByAsync(
            session, new GuestExecution("taskkill.exe", "/PID", processId.ToString(CultureInfo.InvariantCulture), "/T", "/F"), time, cancellationToken);

    /// <inheritdoc/>
    public override Task<(GuestFileTools? Tools, string? MissingReason)> FindFileToolsAsync(
        GuestAgentSession session, OperationTime time, CancellationToken cancellationToken) =>
        Task.FromResult<(GuestFileTools?, string?)>((null, "it is a Windows guest"));
}
