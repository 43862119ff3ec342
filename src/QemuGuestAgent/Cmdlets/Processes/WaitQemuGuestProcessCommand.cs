using System.Management.Automation;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;

namespace QemuGuestAgent.Commands;

/// <summary>Waits until processes in guests have ended, and writes the exit code and output of each.</summary>
[Cmdlet(VerbsLifecycle.Wait, "QemuGuestProcess", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.ProcessResult")]
[OutputType(typeof(GuestProcessResult))]
public sealed class WaitQemuGuestProcessCommand : ProcessCmdlet
{
    /// <summary>Makes one that waits without limit.</summary>
    public WaitQemuGuestProcessCommand() => TimeoutSeconds = 0;

    private protected override string? Activity => "Waiting for processes in guests";

    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachProcess(async (process, call, cancellationToken) =>
    {
        try
        {
            var result = await process.AskAsync(async () => await process.Core.WaitAsync(call, cancellationToken).ConfigureAwait(false), Tell)
                .ConfigureAwait(false);
            process.Forget(Tell);
            return Output(process.Guest, "ProcessResult", [result!]);
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.ProcessNotStarted))
        {
            process.Forget(Tell);
            throw;
        }
    });
}
