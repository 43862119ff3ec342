using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Windows;

/// <summary>Guests with Windows.</summary>
internal sealed class WindowsPlatform : GuestPlatform
{
    private static readonly Regex OemCodePage = new(@"\bOEMCP\s+REG_SZ\s+([0-9]{1,5})\b", RegexOptions.CultureInvariant);

    private volatile Encoding? _encoding;

    /// <inheritdoc/>
    public override GuestPath Paths => GuestPath.Windows;

    /// <summary>What is kept to follow programs starts one sooner than a new PowerShell does.</summary>
    public override bool FollowsLaunched => true;

    /// <inheritdoc/>
    public override bool ReadsShebangs => false;

    /// <inheritdoc/>
    public override bool HasTerminals => false;

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

    /// <summary>The launcher sets variables.</summary>
    public override Task<IReadOnlyList<string>?> FindEnvironmentAsync(
        GuestAgentSession session, GuestProcessStart start, OperationTime time, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<string>?>(null);

    /// <summary>The code page of its consoles (OEMCP), found out once for each agent.</summary>
    public override async Task<Encoding> FindEncodingAsync(GuestAgentSession session, OperationTime time, CancellationToken cancellationToken)
    {
        if (_encoding is { } known)
        {
            return known;
        }

        GuestExecutionStatus? end = null;
        try
        {
            end = await session.RunToolAsync(
                new GuestExecution("reg.exe", "query", @"HKLM\SYSTEM\CurrentControlSet\Control\Nls\CodePage", "/v", "OEMCP"), time, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.ProcessNotStarted))
        {
            // A policy forbids it: most of what programs write is ASCII.
        }

        var match = OemCodePage.Match(Encoding.ASCII.GetString(end?.Output ?? []));
        return _encoding = match.Success ? GuestText.CodePage(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)) : GuestText.Utf8;
    }

    /// <inheritdoc/>
    public override bool NeedsLauncher(GuestProcessStart start) =>
        start.UserName is not null || start.OutputPath is not null || start.ErrorPath is not null || WindowsProgram.NeedsScript(start);

    /// <inheritdoc/>
    public override GuestExecution Launch(GuestExecution execution, GuestProcessStart start, string token, GuestAgentEndpoint endpoint) =>
        start.UserName is not null ? throw NoOtherUser(endpoint)
        : start.OutputPath is not null || start.ErrorPath is not null
            ? throw ErrorCatalogue.NotInWindowsGuest.WithTarget("RedirectStandardOutput", "Output into a file", endpoint)
        : WindowsScripts.Launcher(token, WindowsProgram.Of(start), start.Input) is { Input.Length: <= WindowsScripts.MaxInput } launcher ? launcher
        : throw ErrorCatalogue.ProcessInputTooLong.WithTarget(start.FilePath, start.FilePath, endpoint, WindowsScripts.MaxInput);

    /// <inheritdoc/>
    public override Task<GuestProcessResult> FollowAsync(
        GuestAgentSession session, GuestProcessStart start, HostWatch watch, Func<GuestOutputKind, byte[], Task> take, bool keepsOnTimeOut,
        OperationTime time, CancellationToken cancellationToken) =>
        start.UserName is not null ? throw NoOtherUser(session.Endpoint)
        : new RelayedProcess(this, session, start, watch, take, time).RunAsync(keepsOnTimeOut, cancellationToken);

    /// <inheritdoc/>
    public override InteractiveChannel CreateInteractive(
        GuestAgentSession session, GuestExecution program, string? userName, HostWatch watch) =>
        userName is not null ? throw NoOtherUser(session.Endpoint) : new WindowsInteractive(this, session, program, watch);

    /// <inheritdoc/>
    public override async Task<string?> KillTreeAsync(
        GuestAgentSession session, long processId, OperationTime time, CancellationToken cancellationToken)
    {
        var id = processId.ToString(CultureInfo.InvariantCulture);

        // A child that could not be ended keeps its parent: then that is ended alone.
        return await KillByAsync(session, new GuestExecution("taskkill.exe", "/PID", id, "/T", "/F"), time, cancellationToken).ConfigureAwait(false) is null
            ? null
            : await KillByAsync(session, new GuestExecution("taskkill.exe", "/PID", id, "/F"), time, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async Task<(GuestFileTools? Tools, string? MissingReason)> FindFileToolsAsync(
        GuestAgentSession session, OperationTime time, CancellationToken cancellationToken)
    {
        var (helper, missingReason) = await WindowsHelper.FindAsync(session, time, cancellationToken).ConfigureAwait(false);
        return helper is null ? (null, missingReason) : (new WindowsFileTools(session, time, helper.AskAsync), null);
    }

    private static GuestAgentException NoOtherUser(GuestAgentEndpoint endpoint) =>
        ErrorCatalogue.NotInWindowsGuest.WithTarget("UserName", "Running as another user", endpoint);
}
