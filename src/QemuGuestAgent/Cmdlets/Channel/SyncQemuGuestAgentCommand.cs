using System.Management.Automation;
using QemuGuestAgent.Conversion;

namespace QemuGuestAgent.Commands;

/// <summary>Synchronises sessions with their agents and reports what was discarded; reopens the channel of a broken session.</summary>
[Cmdlet(VerbsData.Sync, "QemuGuestAgent")]
[OutputType(typeof(AgentSyncResult))]
public sealed class SyncQemuGuestAgentCommand : FanOutCmdlet
{
    /// <summary>Makes the cmdlet.</summary>
    public SyncQemuGuestAgentCommand() => TimeoutSeconds = ConnectQemuGuestAgentCommand.DefaultTimeoutSeconds;

    /// <summary>The sessions.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [SessionOf]
    [ValidateNotNullOrEmpty]
    public AgentSession[] Session { get; set; } = [];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var session in Session)
        {
            Start(session, session.Name, async (call, cancellationToken) =>
            {
                var result = new AgentSyncResult(session, await session.Core.SynchronizeAsync(call, cancellationToken).ConfigureAwait(false));
                return () => WriteObject(result);
            });
        }
    }
}
