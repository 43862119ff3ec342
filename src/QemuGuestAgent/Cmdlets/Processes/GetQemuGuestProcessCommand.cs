using System.Management.Automation;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Commands;

/// <summary>
/// Gets the current state of processes that were started in guests. Without -Id these are all that this user started and did not fetch the
/// end of, from whichever PowerShell.
/// </summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestProcess", DefaultParameterSetName = SessionSet)]
[OutputType(typeof(AgentProcess))]
public sealed class GetQemuGuestProcessCommand : ProcessCmdlet
{
    private protected override bool FindsAll => true;

    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachProcess(async (process, call, cancellationToken) =>
    {
        try
        {
            if (!process.HasExited
                && await process.AskAsync(() => process.Core.RefreshAsync(call, cancellationToken), Tell).ConfigureAwait(false) is not null)
            {
                // The agent has told it now, and forgotten it.
                process.Keep(Tell);
                process.Guest.UserSession?.Processes.Add(process);
            }
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.ProcessUnknown) && ParameterSetName != ProcessSet && Id.Length == 0)
        {
            // Its agent was restarted, or another has fetched its end.
            process.Forget(Tell);
            return () => { };
        }

        return () => WriteObject(process);
    });
}
