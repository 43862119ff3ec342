using System.Management.Automation;
using System.Text;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Conversion;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Operations.Scripts;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>
/// Runs a script in guests. Output of PowerShell in the guest is returned as objects, errors and other records; for other
/// interpreters the exit code and the output are returned. Script, arguments and input are not written to the guest's log.
/// </summary>
[Cmdlet(VerbsLifecycle.Invoke, "QemuGuestScript", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType(typeof(PSObject))]
[OutputType("QemuGuestAgent.ProcessResult", "QemuGuestAgent.ProcessLine")]
[OutputType(typeof(GuestProcessResult), typeof(GuestProcessLine))]
public sealed class InvokeQemuGuestScriptCommand : InputCmdlet
{
    private static readonly Dictionary<string, GuestInterpreter> Extensions = new(StringComparer.OrdinalIgnoreCase)
    {
        [".sh"] = GuestInterpreter.Sh,
        [".bash"] = GuestInterpreter.Bash,
        [".cmd"] = GuestInterpreter.Cmd,
        [".bat"] = GuestInterpreter.Cmd,
        [".py"] = GuestInterpreter.Python,
    };

    private readonly PowerShellScript _powerShell = new();
    private ScriptSource _script = ScriptSource.Of("");

    /// <summary>Makes one that waits without limit.</summary>
    public InvokeQemuGuestScriptCommand() => TimeoutSeconds = 0;

    /// <summary>The script as a script block, for PowerShell 7, or for Windows PowerShell in a Windows guest. $using: works.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNull]
    public ScriptBlock? ScriptBlock { get; set; }

    /// <summary>
    /// The script as text, for /bin/sh, or for Windows PowerShell in a Windows guest. In a Linux guest its first line can name another
    /// interpreter, such as #!/bin/bash.
    /// </summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ScriptText { get; set; }

    /// <summary>
    /// The script as a file on this computer. In a Linux guest its first line selects the interpreter, such as #!/bin/bash; without such a
    /// line the extension does (.ps1, .sh, .bash, .cmd, .bat or .py).
    /// </summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? FilePath { get; set; }

    /// <summary>The interpreter in the guest: pwsh, powershell.exe, /bin/sh, bash, cmd.exe or python3. A #! line in the script is then ignored.</summary>
    [Parameter]
    [ValidateSet(
        nameof(GuestInterpreter.PowerShell), nameof(GuestInterpreter.WindowsPowerShell), nameof(GuestInterpreter.Sh),
        nameof(GuestInterpreter.Bash), nameof(GuestInterpreter.Cmd), nameof(GuestInterpreter.Python))]
    public string? Interpreter { get; set; }

    /// <summary>The script's arguments: objects for PowerShell, text for other interpreters.</summary>
    [Parameter(Position = 2)]
    [AllowEmptyCollection]
    [AllowNull]
    public object?[] ArgumentList { get; set; } = [];

    /// <summary>
    /// The user in the guest to run it as, in that user's home; by default the user that the agent runs as, which is normally root and needs no
    /// password for this. Not in Windows guests.
    /// </summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? UserName { get; set; }

    /// <summary>The encoding of input and output of interpreters other than PowerShell; UTF-8 by default.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(EncodingCompleter))]
    [EncodingArgument]
    [ValidateNotNull]
    public Encoding Encoding { get; set; } = new UTF8Encoding(false);

    /// <summary>Writes all output as soon as the script has written it, without a size limit. Not for cmd.exe.</summary>
    [Parameter]
    public SwitchParameter Stream { get; set; }

    private bool IsForPowerShell =>
        ScriptBlock is not null || string.Equals(Path.GetExtension(FilePath), ".ps1", StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        try
        {
            CommandLineCheck.Check(this, hasOption: false);
            _script = ReadScript();
        }
        catch (GuestAgentException e)
        {
            ThrowTerminatingError(ErrorRecords.Of(e, e.Target ?? this));
        }
    }

    private protected override void RunInGuests(object? input)
    {
        try
        {
            var payload = ScriptPayload.Serialize(_powerShell, _script, ArgumentList ?? [], input);
            var bytes = input is null ? null : ProgramInput.Read(input)(Encoding);
            ForEachGuest((guest, call, cancellationToken) => RunAsync(guest, payload, bytes, call, cancellationToken), "run a script");
        }
        catch (GuestAgentException e)
        {
            ThrowTerminatingError(ErrorRecords.Of(e, e.Target ?? this));
        }
    }

    private async Task<Action> RunAsync(Guest guest, string payload, byte[]? input, CallOptions call, CancellationToken cancellationToken)
    {
        var shebang = Interpreter is null && ScriptBlock is null
            ? await GuestScript.FindShebangAsync(guest.Session, _script.Text, call, cancellationToken).ConfigureAwait(false)
            : null;
        if (shebang is { PowerShell: null })
        {
            return await RunAsync(
                guest, GuestScript.Prepare(shebang, _script.Text, Arguments(), input), call, cancellationToken).ConfigureAwait(false);
        }

        var interpreter =
            shebang is not null ? GuestInterpreter.PowerShell
            : Enum.TryParse<GuestInterpreter>(Interpreter, ignoreCase: true, out var named) ? named
            : Extensions.TryGetValue(Path.GetExtension(FilePath) ?? "", out var known) ? known
            : await GuestScript.ChooseInterpreterAsync(guest.Session, IsForPowerShell, call, cancellationToken).ConfigureAwait(false);
        return interpreter switch
        {
            GuestInterpreter.PowerShell or GuestInterpreter.WindowsPowerShell => await RunPowerShellAsync(
                guest, PowerShellScript.Prepare(interpreter, payload, shebang?.PowerShell), call, cancellationToken).ConfigureAwait(false),
            GuestInterpreter.Cmd => await RunBatchAsync(guest, input, call, cancellationToken).ConfigureAwait(false),
            _ => await RunAsync(
                guest, GuestScript.Prepare(interpreter, _script.Text, Arguments(), input), call, cancellationToken).ConfigureAwait(false),
        };
    }

    private List<string> Arguments() => [.. (ArgumentList ?? []).Select(argument => LanguagePrimitives.ConvertTo<string>(argument))];

    private ScriptSource ReadScript()
    {
        var given = new object?[] { ScriptBlock, ScriptText, FilePath }.Count(script => script is not null);
        if (given != 1)
        {
            throw ErrorCatalogue.ScriptNotGiven.WithTarget(null, given);
        }

        return ScriptBlock is { } block
            ? ScriptSource.Of(block, SessionState)
            : ScriptSource.Of(ScriptText ?? LocalPaths.ReadText(LocalPaths.Literal(SessionState, FilePath!)));
    }

    private async Task<Action> RunBatchAsync(Guest guest, byte[]? input, CallOptions call, CancellationToken cancellationToken) =>
        Stream ? throw ErrorCatalogue.NotInWindowsGuest.WithTarget("Stream", "Live output", guest.Session.Endpoint)
        : UserName is not null
            ? throw ErrorCatalogue.NotInWindowsGuest.WithTarget("UserName", "Running as another user", guest.Session.Endpoint)
        : Output(guest, "ProcessResult", [
            await BatchScript.RunAsync(guest.Session, _script.Text, Arguments(), input, Encoding, call, cancellationToken)
                .ConfigureAwait(false)]);

    private async Task<Action> RunAsync(Guest guest, GuestProcessStart start, CallOptions call, CancellationToken cancellationToken)
    {
        start = start with { Encoding = Encoding, UserName = UserName };
        var result = Stream
            ? await StreamedProcess.RunAsync(
                guest.Session, start, lines => SendAsync(Output(guest, "ProcessLine", lines), cancellationToken), false, call, cancellationToken)
                .ConfigureAwait(false)
            : await GuestProcess.RunAsync(guest.Session, start, false, call, cancellationToken).ConfigureAwait(false);
        return Output(guest, "ProcessResult", [result]) + WarnOfTruncation(guest, "The script", result);
    }

    private async Task<Action> RunPowerShellAsync(
        Guest guest, GuestProcessStart start, CallOptions call, CancellationToken cancellationToken)
    {
        start = start with { UserName = UserName, IsOutputInternal = true };
        var streams = new ScriptStreams(this, guest, _powerShell);
        try
        {
            GuestProcessResult result;
            if (Stream)
            {
                result = await StreamedProcess.RunAsync(
                    guest.Session, start, lines => SendAsync(streams.Read(lines), cancellationToken), false, call, cancellationToken)
                    .ConfigureAwait(false);
            }
            else
            {
                result = await GuestProcess.RunAsync(guest.Session, start, false, call, cancellationToken).ConfigureAwait(false);
                if (result.Truncated)
                {
                    throw ErrorCatalogue.ScriptOutputTooLong.WithTarget(guest.Name, guest.Session.Endpoint);
                }

                await SendAsync(streams.Read(result.Lines), cancellationToken).ConfigureAwait(false);
            }

            streams.Check(result);
            return () => { };
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.ProcessTimedOut) && e.Data["StandardOutput"] is string written)
        {
            // What the script had written until then comes before the error.
            await SendAsync(streams.ReadPart(written), cancellationToken).ConfigureAwait(false);
            e.Data.Clear();
            throw;
        }
        finally
        {
            Post(streams.CompleteProgress);
        }
    }
}
