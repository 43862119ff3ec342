using System.Management.Automation;
using QemuGuestAgent.Core.Operations.Health;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>Tests whether the agents of guests are ready for commands.</summary>
[Cmdlet(VerbsDiagnostic.Test, "QemuGuestAgent", DefaultParameterSetName = SessionSet)]
[OutputType(typeof(bool))]
[OutputType("QemuGuestAgent.AgentHealth")]
[OutputType(typeof(AgentHealth))]
public sealed class TestQemuGuestAgentCommand : GuestCmdlet
{
    /// <summary>Makes the cmdlet.</summary>
    public TestQemuGuestAgentCommand() => TimeoutSeconds = ConnectQemuGuestAgentCommand.DefaultTimeoutSeconds;

    /// <summary>Writes the state of each agent, and the reason, instead of true or false.</summary>
    [Parameter]
    public SwitchParameter Detailed { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var given in Guests)
        {
            if (given is AgentSession session)
            {
                Examine(session, session.Name, session, (call, cancellationToken) => AgentHealth.ExamineAsync(session.Core, call, cancellationToken));
            }
            else if (given is string text && ParseEndpoint(text) is { } endpoint)
            {
                Examine(
                    text,
                    Endpoints.DefaultName(endpoint),
                    null,
                    (call, cancellationToken) => AgentHealth.ExamineAsync(endpoint, call, cancellationToken));
            }
        }
    }

    private void Examine(
        object target, string name, AgentSession? session, Func<CallOptions, CancellationToken, Task<AgentHealth>> examine) =>
        // The results must be in the order of the guests.
        StartInOrder(target, name, async (call, cancellationToken) =>
        {
            var health = await examine(call, cancellationToken).ConfigureAwait(false);
            return () => WriteObject(Detailed ? Conversion.GuestObject.Of(health, "AgentHealth", name, session) : health.IsReady);
        });
}
