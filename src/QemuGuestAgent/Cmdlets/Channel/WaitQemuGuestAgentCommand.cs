using System.Management.Automation;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Conversion;
using QemuGuestAgent.Core.Operations.Health;

namespace QemuGuestAgent.Commands;

/// <summary>Waits until the agents of guests are ready, and writes the session with each, in the order given.</summary>
[Cmdlet(VerbsLifecycle.Wait, "QemuGuestAgent", DefaultParameterSetName = SessionSet)]
[OutputType(typeof(AgentSession))]
public sealed class WaitQemuGuestAgentCommand : FanOutCmdlet
{
    private const string SessionSet = "Session";
    private const string EndpointSet = "Endpoint";

    private readonly SessionOpening _opening;

    /// <summary>Makes one that waits for five minutes.</summary>
    public WaitQemuGuestAgentCommand()
    {
        TimeoutSeconds = 300;
        _opening = new SessionOpening(this);
    }

    /// <summary>
    /// The guests: sessions, names of sessions or of guests of this host (with wildcards), or endpoints, which are opened and stay open, as
    /// with Connect-QemuGuestAgent.
    /// </summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = SessionSet, ValueFromPipeline = true)]
    [SessionOf]
    [ArgumentCompleter(typeof(GuestCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public AgentSession[] Session { get; set; } = [];

    /// <summary>
    /// Endpoints, which need not exist yet, or names of guests. They are opened and stay open, as with Connect-QemuGuestAgent. Some kinds start
    /// programs.
    /// </summary>
    [Parameter(Mandatory = true, ParameterSetName = EndpointSet, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(EndpointCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Endpoint { get; set; } = [];

    private protected override string? Activity => "Waiting for guest agents";

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var guest in ParameterSetName == EndpointSet ? TargetsOf(Endpoint) : TargetsOf(Session))
        {
            if (guest.Session is { } session)
            {
                Wait(guest, session);
            }
            else
            {
                StartInOrder(guest, (call, cancellationToken) => _opening.OpenAsync(
                    guest.Name, AgentReadiness.WaitAsync(guest.Endpoint!, null, call, cancellationToken), call, cancellationToken));
            }
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _opening.Dispose();
    }

    private void Wait(GuestTarget guest, AgentSession session) => StartInOrder(guest, async (call, cancellationToken) =>
    {
        await session.Core.WaitUntilReadyAsync(call, cancellationToken).ConfigureAwait(false);
        var warn = await SessionOpening.WarnIfFrozenAsync(this, session, call, cancellationToken).ConfigureAwait(false);
        return () =>
        {
            warn();
            WriteObject(session);
        };
    });
}
