using System.Management.Automation;
using QemuGuestAgent.Core.Guests.Processes;

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

    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(
        async (guest, call, cancellationToken) => Output(
            guest,
            "ProcessResult",
            [
                Stream
                    ? await StreamedProcess.RunAsync(
                        guest.Session, Program, lines => SendAsync(Output(guest, "ProcessLine", lines), cancellationToken), KeepOnTimeout, call,
                        cancellationToken).ConfigureAwait(false)
                    : await GuestProcess.RunAsync(guest.Session, Program, KeepOnTimeout, call, cancellationToken).ConfigureAwait(false)
            ]),
        $"run {FilePath}");
}
