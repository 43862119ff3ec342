using System.Management.Automation;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>
/// Gets the current state of processes that were started in guests. Without -Id these are all that this user started, from any PowerShell
/// process, and whose results have not been retrieved.
/// </summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestProcess", DefaultParameterSetName = SessionSet)]
[OutputType(typeof(AgentProcess))]
public sealed class GetQemuGuestProcessCommand : ProcessCmdlet
{
    private protected override bool FindsAll => true;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var isList = ParameterSetName != ProcessSet && Id.Length == 0;
        ForEachProcess((process, call, cancellationToken) => GetAsync(process, isList, call, cancellationToken));
    }

    private async Task<Action> GetAsync(AgentProcess process, bool isList, CallOptions call, CancellationToken cancellationToken)
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
        catch (GuestAgentException e) when (isList && e.Is(ErrorCatalogue.ProcessUnknown))
        {
            // Its agent was restarted, or another has fetched its end.
            process.Forget(Tell);
            return () => WriteWarning(
                $"{process.PSGuestName}: its agent no longer knows process {process}: the agent was restarted, or another client has taken the result.");
        }

        return () => WriteObject(process);
    }
}
