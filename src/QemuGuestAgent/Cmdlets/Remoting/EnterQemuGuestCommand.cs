using System.Management.Automation;
#if NET
using System.Management.Automation.Host;
#endif
using QemuGuestAgent.Completion;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Operations.Terminals;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Remoting;

namespace QemuGuestAgent.Commands;

/// <summary>
/// Opens a shell in a guest without a network, in this terminal: a login shell in a Linux guest, with everything that a terminal has, or the
/// prompt of PowerShell in a Windows guest.
/// </summary>
[Cmdlet(VerbsCommon.Enter, "QemuGuest", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class EnterQemuGuestCommand : GuestCmdlet
{
    // All others either have no terminal or keep it to themselves.
    private const string ConsoleHost = "ConsoleHost";

    // What ssh ends with where it has lost its connection.
    private const int LostExitCode = 255;

    // There is one terminal for all runspaces.
    private static int _open;

    private int _given;

    /// <summary>The user in the guest to log in, without a password; by default the user that the agent runs as, which is normally root. Not in Windows guests.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(UserNameCompleter))]
    [ValidateNotNullOrEmpty]
    public string? UserName { get; set; }

    /// <summary>The path of the shell in the guest; by default the user's own. For PowerShell as in New-QemuGuestPSSession.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ShellPath { get; set; }

    /// <summary>The folder in the guest to start in; by default the user's home.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? WorkingDirectory { get; set; }

    /// <summary>
    /// The key that leaves the guest and ends the shell there: ^ and a letter or a sign for Ctrl and that key, one ASCII character, or none for
    /// no such key.
    /// </summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string EscapeCharacter { get; set; } = "^]";

    /// <summary>Opens the prompt of PowerShell 7 in a Linux guest, as Enter-PSSession does; in Windows guests that is so anyway.</summary>
    [Parameter]
    public SwitchParameter PowerShell { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        try
        {
            var escape = Core.Operations.Terminals.EscapeCharacter.Parse(EscapeCharacter);
            var guests = FindGuests();
            _given += guests.Count;
            if (_given > 1)
            {
                throw ErrorCatalogue.TerminalGuestsMismatch.WithTarget(guests[guests.Count - 1].Text, _given);
            }

            if (guests.Count == 1 && ShouldProcess(guests[0].Text, "open a shell"))
            {
                Start(guests[0], (call, cancellationToken) => EnterAsync(guests[0], escape, call, cancellationToken));
            }
        }
        catch (GuestAgentException e)
        {
            ThrowTerminatingError(ErrorRecords.Of(e, e.Target ?? this));
        }
    }

    private async Task<Action> EnterAsync(GuestTarget guest, EscapeCharacter escape, CallOptions call, CancellationToken cancellationToken)
    {
        if (guest.Endpoint is { } endpoint && SessionRegistry.IsOpen(endpoint))
        {
            throw SessionRegistry.InUse(endpoint);
        }

        var time = new OperationTime(TimeProvider.System, call);
        var session = guest.Session ?? new AgentSession(
            guest.Name, await GuestAgentSession.ConnectAsync(guest.Endpoint!, null, call, cancellationToken).ConfigureAwait(false));
        var isHandedOn = guest.Session is not null;
        try
        {
            if (!PowerShell && await GuestTerminal.IsForAsync(session.Core, time.Rest(), cancellationToken).ConfigureAwait(false))
            {
                return await JoinAsync(guest, session, escape, time, cancellationToken).ConfigureAwait(false);
            }

            if (RemotingSupport.WhyNot(this) is { } tooOld)
            {
                throw tooOld;
            }

#if NET
            var push = await PreparePromptAsync(guest, session, time, cancellationToken).ConfigureAwait(false);
            isHandedOn = true;
            return push;
#else
            throw new InvalidOperationException();
#endif
        }
        finally
        {
            if (!isHandedOn)
            {
                session.Core.Dispose();
            }
        }
    }

    private async Task<Action> JoinAsync(
        GuestTarget guest, AgentSession session, EscapeCharacter escape, OperationTime time, CancellationToken cancellationToken)
    {
        if (Interlocked.CompareExchange(ref _open, 1, 0) != 0)
        {
            throw NotInteractive(session, "another one is open in it");
        }

        try
        {
            using var here = Host.Name != ConsoleHost ? throw NotInteractive(session, $"the host '{Host.Name}' has none")
                : LocalTerminal.OfConsole(out var missing) ?? throw NotInteractive(session, missing);
            var start = new GuestTerminalStart
            {
                UserName = UserName,
                ShellPath = ShellPath,
                WorkingDirectory = WorkingDirectory,
                TerminalName = here.Name,
                Size = here.Size,
            };
            var terminal = await GuestTerminal.OpenAsync(session.Core, start, time.Rest(), cancellationToken).ConfigureAwait(false);
            session.Shells.TryAdd(terminal.Shell, "a terminal is open");
            try
            {
                await SendAsync(() => Tell(guest, session, terminal, escape), cancellationToken).ConfigureAwait(false);
                var code = await terminal.RunAsync(here, escape, cancellationToken).ConfigureAwait(false);
                return code is null ? () => { } : () => SetExitCode(code.Value);
            }
            catch (GuestAgentException)
            {
                Post(() => SetExitCode(LostExitCode));
                throw;
            }
            finally
            {
                await terminal.Shell.CloseAsync().ConfigureAwait(false);
                session.Shells.TryRemove(terminal.Shell, out _);
            }
        }
        finally
        {
            _open = 0;
        }
    }

    private void SetExitCode(int code) => SessionState.PSVariable.Set("global:LASTEXITCODE", code);

    private void Tell(GuestTarget guest, AgentSession session, GuestTerminal terminal, EscapeCharacter escape)
    {
        Host.UI.WriteLine(SafeText.Escape(
            $"{guest.FullName}: a shell as {terminal.UserName}, through {session.Endpoint}. "
            + (escape.Code is null ? "'exit' leaves." : $"'exit' or {escape} leaves.")));
        if (terminal.IsByLine)
        {
            WriteWarning(
                $"{SafeText.Escape(guest.FullName)}: the guest has neither script (of util-linux or bsdutils) nor python3, and so no terminal for its shell: it reads lines, "
                + "Ctrl+C leaves, and full-screen programs do not work.");
        }
    }

    private static GuestAgentException NotInteractive(AgentSession session, string reason) =>
        ErrorCatalogue.TerminalNotInteractive.WithTarget(session, reason);

#if NET
    private async Task<Action> PreparePromptAsync(GuestTarget guest, AgentSession session, OperationTime time, CancellationToken cancellationToken)
    {
        if (Host is not IHostSupportsInteractiveSession host || !HasPrompt(host))
        {
            throw NotInteractive(session, $"the host '{Host.Name}' has no prompt for another PowerShell");
        }

        var runspace = await new GuestRunspace(session, ownsSession: guest.Session is null, Host) { UserName = UserName }
            .OpenAsync(guest.Name, guest.Name, ShellPath, time, cancellationToken).ConfigureAwait(false);
        EngineTypes.CloseOnceLeft(runspace);
        return () =>
        {
            try
            {
                host.PushRunspace(runspace);
            }
            catch
            {
                runspace.Dispose();
                throw;
            }
        };
    }

    private static bool HasPrompt(IHostSupportsInteractiveSession host)
    {
        try
        {
            return !host.IsRunspacePushed;
        }
        catch (PSNotImplementedException)
        {
            return false;
        }
    }
#endif
}
