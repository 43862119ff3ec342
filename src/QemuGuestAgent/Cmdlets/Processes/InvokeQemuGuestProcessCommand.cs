using System.Management.Automation;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>
/// Runs a program in guests, waits until it ends, and writes its exit code and output; with -Stream its lines while it runs.
/// </summary>
[Cmdlet(VerbsLifecycle.Invoke, "QemuGuestProcess", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType("QemuGuestAgent.ProcessResult", "QemuGuestAgent.ProcessLine")]
[OutputType(typeof(GuestProcessResult), typeof(GuestProcessLine))]
public sealed class InvokeQemuGuestProcessCommand : ProgramCmdlet
{
    /// <summary>Makes one that waits without limit.</summary>
    public InvokeQemuGuestProcessCommand() => TimeoutSeconds = 0;

    /// <summary>Leaves the program running after a time-out, instead of killing it.</summary>
    [Parameter]
    public SwitchParameter KeepOnTimeout { get; set; }

    /// <summary>Writes each line as soon as the program has written it, without a size limit, and its exit code at the end.</summary>
    [Parameter]
    public SwitchParameter Stream { get; set; }

    private protected override string? Activity => $"Running {FilePath} in guests";

    private protected override string Change => "run";

    private protected override async Task<Action> RunAsync(
        Guest guest, GuestProcessStart program, CallOptions call, CancellationToken cancellationToken)
    {
        var result = Stream
            ? await StreamedProcess.RunAsync(
                guest.Session, program, lines => SendAsync(Output(guest, "ProcessLine", lines), cancellationToken), KeepOnTimeout, call,
                cancellationToken).ConfigureAwait(false)
            : await GuestProcess.RunAsync(guest.Session, program, KeepOnTimeout, call, cancellationToken).ConfigureAwait(false);
        return Output(guest, "ProcessResult", [result]) + WarnOfTruncation(guest, FilePath, result);
    }
}
