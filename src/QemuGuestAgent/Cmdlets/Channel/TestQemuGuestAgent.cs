using System.Management.Automation;
using QemuGuestAgent.Core.Operations;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Cmdlets.Channel;

/// <summary>Tells whether the agents of guests are ready for commands, or how they are.</summary>
[Cmdlet(VerbsDiagnostic.Test, "QemuGuestAgent", DefaultParameterSetName = SessionSet)]
[OutputType(typeof(bool))]
[OutputType("QemuGuestAgent.AgentHealth")]
public sealed class TestQemuGuestAgent : GuestCmdlet
{
    /// <summary>Makes the cmdlet.</summary>
    public TestQemuGuestAgent() => TimeoutSeconds = ConnectQemuGuestAgent.DefaultTimeoutSeconds;

    /// <summary>Writes how each agent is, and why, instead of true or false.</summary>
    [Parameter]
    public SwitchParameter Detailed { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var given in Guests)
        {
            if (given is AgentSession session)
            {
                Examine(session, session.Name, session, (call, stop) => AgentHealth.ExamineAsync(session.Core, call, stop));
            }
            else if (given is string text && ParseEndpoint(text) is { } endpoint)
            {
                Examine(text, Endpoints.DefaultName(endpoint), null, (call, stop) => AgentHealth.ExamineAsync(endpoint, call, stop));
            }
        }
    }

    private void Examine(
        object target, string name, AgentSession? session, Func<CallOptions, CancellationToken, Task<AgentHealth>> examine) =>
        // Whoever looks at a list of answers must not have to guess which is whose.
        StartInOrder(target, name, async (call, stop) =>
        {
            var health = await examine(call, stop).ConfigureAwait(false);
            return () => WriteObject(Detailed ? Conversion.GuestObject.Of(health, "AgentHealth", name, session) : health.IsReady);
        });
}
