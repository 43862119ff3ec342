using System.Management.Automation;

namespace QemuGuestAgent.Commands;

/// <summary>Gets the current state of processes that were started in guests.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestProcess", DefaultParameterSetName = SessionSet)]
[OutputType(typeof(AgentProcess))]
public sealed class GetQemuGuestProcessCommand : ProcessCmdlet
{
    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachProcess(async (process, call, cancellationToken) =>
    {
        if (await process.Core.RefreshAsync(call, cancellationToken).ConfigureAwait(false) is not null)
        {
            process.Guest.UserSession?.Processes.Remove(process);
        }

        return () => WriteObject(process);
    });
}
