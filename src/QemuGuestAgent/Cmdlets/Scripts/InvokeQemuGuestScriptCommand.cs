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
public sealed class InvokeQemuGuestScriptCommand : GuestCmdlet
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
    private string _payload = "";
    private byte[]? _input;

    /// <summary>Makes one that waits without limit.</summary>
    public InvokeQemuGuestScriptCommand() => TimeoutSeconds = 0;

    /// <summary>The script as a script block, for PowerShell 7, or for Windows PowerShell in a Windows guest. $using: works.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNull]
    public ScriptBlock? ScriptBlock { get; set; }

    /// <summary>The script as text, for /bin/sh, or for Windows PowerShell in a Windows guest.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ScriptText { get; set; }

    /// <summary>The script as a file on this computer. The extension (.ps1, .sh, .bash, .cmd, .bat or .py) selects the interpreter.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? FilePath { get; set; }

    /// <summary>The interpreter in the guest: pwsh, powershell.exe, /bin/sh, bash, cmd.exe or python3.</summary>
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

    /// <summary>The $input of a PowerShell script. For other interpreters the standard input: bytes unchanged, and each string as a line.</summary>
    [Parameter]
    [ValidateNotNull]
    public object? InputObject { get; set; }

    /// <summary>The encoding of input and output of interpreters other than PowerShell; UTF-8 by default.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(EncodingCompleter))]
    [EncodingArgument]
    [ValidateNotNull]
    public Encoding Encoding { get; set; } = new UTF8Encoding(false);

    /// <summary>Writes all output as soon as the script has written it, without a size limit.</summary>
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
            _payload = ScriptPayload.Serialize(_powerShell, _script, ArgumentList ?? [], InputObject);
            _input = InputObject is null ? null : ProgramInput.Bytes(InputObject, Encoding);
        }
        catch (GuestAgentException e)
        {
            ThrowTerminatingError(ErrorRecords.Of(e, e.Target ?? this));
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(
        async (guest, call, cancellationToken) =>
        {
            var interpreter =
                Enum.TryParse<GuestInterpreter>(Interpreter, ignoreCase: true, out var named) ? named
                : Extensions.TryGetValue(Path.GetExtension(FilePath) ?? "", out var known) ? known
                : await GuestScript.ChooseInterpreterAsync(guest.Session, IsForPowerShell, call, cancellationToken).ConfigureAwait(false);
            return interpreter is GuestInterpreter.PowerShell or GuestInterpreter.WindowsPowerShell
                ? await RunPowerShellAsync(guest, interpreter, call, cancellationToken).ConfigureAwait(false)
                : await RunAsync(guest, interpreter, call, cancellationToken).ConfigureAwait(false);
        },
        "run a script");

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

    private async Task<Action> RunAsync(Guest guest, GuestInterpreter interpreter, CallOptions call, CancellationToken cancellationToken)
    {
        var arguments = (ArgumentList ?? []).Select(argument => LanguagePrimitives.ConvertTo<string>(argument)).ToList();
        if (interpreter == GuestInterpreter.Cmd)
        {
            return Stream
                ? throw ErrorCatalogue.NotInWindowsGuest.WithTarget("Stream", "Live output", guest.Session.Endpoint)
                : Output(guest, "ProcessResult", [
                    await BatchScript.RunAsync(guest.Session, _script.Text, arguments, _input, Encoding, call, cancellationToken)
                        .ConfigureAwait(false)]);
        }

        var start = GuestScript.Prepare(interpreter, _script.Text, arguments, _input) with { Encoding = Encoding };
        var result = Stream
            ? await StreamedProcess.RunAsync(
                guest.Session, start, lines => SendAsync(Output(guest, "ProcessLine", lines), cancellationToken), false, call, cancellationToken)
                .ConfigureAwait(false)
            : await GuestProcess.RunAsync(guest.Session, start, false, call, cancellationToken).ConfigureAwait(false);
        return Output(guest, "ProcessResult", [result]);
    }

    private async Task<Action> RunPowerShellAsync(
        Guest guest, GuestInterpreter interpreter, CallOptions call, CancellationToken cancellationToken)
    {
        var start = PowerShellScript.Prepare(interpreter, _payload);
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
        finally
        {
            Post(streams.CompleteProgress);
        }
    }
}
