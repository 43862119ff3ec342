using System.Management.Automation;
using QemuGuestAgent.Conversion;
using QemuGuestAgent.Core.Operations.Health;

namespace QemuGuestAgent.Commands;

/// <summary>Tests whether the agents of guests are ready for commands: true or false for each, with its PSGuestName.</summary>
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
        foreach (var guest in FindGuests())
        {
            // The results must be in the order of the guests.
            StartInOrder(guest, async (call, cancellationToken) =>
            {
                var health = await (guest.Session is { } session
                    ? AgentHealth.ExamineAsync(session.Core, call, cancellationToken)
                    : AgentHealth.ExamineAsync(guest.Endpoint!, call, cancellationToken)).ConfigureAwait(false);
                return () => WriteObject(Detailed
                    ? GuestObject.Of(health, "AgentHealth", guest)
                    : ReplyConverter.Mark(PSObject.AsPSObject(health.IsReady), guest));
            });
        }
    }
}
