using System.Management.Automation;

namespace QemuGuestAgent.Cmdlets.Process;

/// <summary>Gets processes that were started in guests, as they are now.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestProcess", DefaultParameterSetName = SessionSet)]
[OutputType(typeof(AgentProcess))]
public sealed class GetQemuGuestProcess : ProcessCmdlet
{
    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachProcess(async (process, call, stop) =>
    {
        if (await process.Core.RefreshAsync(call, stop).ConfigureAwait(false) is not null)
        {
            process.Guest.Session?.Processes.Remove(process);
        }

        return () => WriteObject(process);
    });
}
