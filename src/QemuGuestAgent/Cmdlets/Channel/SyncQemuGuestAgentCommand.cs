using System.Management.Automation;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Conversion;

namespace QemuGuestAgent.Commands;

/// <summary>Synchronises sessions with their agents and reports what was discarded; reopens the channel of a broken session.</summary>
[Cmdlet(VerbsData.Sync, "QemuGuestAgent")]
[OutputType(typeof(AgentSyncResult))]
public sealed class SyncQemuGuestAgentCommand : FanOutCmdlet
{
    /// <summary>Makes the cmdlet.</summary>
    public SyncQemuGuestAgentCommand() => TimeoutSeconds = ConnectQemuGuestAgentCommand.DefaultTimeoutSeconds;

    /// <summary>The sessions, or their names, with wildcards.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [SessionOf]
    [ArgumentCompleter(typeof(SessionNameCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public AgentSession[] Session { get; set; } = [];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var session in OpenSessions(Session))
        {
            Start(new GuestTarget(session), async (call, cancellationToken) =>
            {
                var result = new AgentSyncResult(session, await session.Core.SynchronizeAsync(call, cancellationToken).ConfigureAwait(false));
                return () => WriteObject(result);
            });
        }
    }
}
