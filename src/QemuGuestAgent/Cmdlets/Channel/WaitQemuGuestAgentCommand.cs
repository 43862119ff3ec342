using System.Management.Automation;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Conversion;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Operations.Health;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>Waits until the agents of guests are ready, and writes the session with each, in the order given.</summary>
[Cmdlet(VerbsLifecycle.Wait, "QemuGuestAgent", DefaultParameterSetName = SessionSet)]
[OutputType(typeof(AgentSession))]
public sealed class WaitQemuGuestAgentCommand : FanOutCmdlet
{
    private const string SessionSet = "Session";
    private const string EndpointSet = "Endpoint";

    private const string AnyFamily = "Any";

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

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
    /// Endpoints, which need not exist yet, or names of guests. They are opened and stay open, as with Connect-QemuGuestAgent. Some kinds of
    /// endpoint start programs.
    /// </summary>
    [Parameter(Mandatory = true, ParameterSetName = EndpointSet, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(EndpointCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Endpoint { get; set; } = [];

    /// <summary>
    /// Also waits until the guest has an address that others can reach: IPv4, IPv6 or Any. Loopback and link-local addresses and those of the
    /// guest's own bridges do not count.
    /// </summary>
    [Parameter]
    [ValidateSet("IPv4", "IPv6", AnyFamily)]
    public string? ForAddress { get; set; }

    private protected override string? Activity => ForAddress is null ? "Waiting for guest agents" : "Waiting for addresses of guests";

    private protected override bool AwaitsNames => true;

    // As the agent writes it.
    private string? Family => string.Equals(ForAddress, AnyFamily, StringComparison.OrdinalIgnoreCase) ? null : ForAddress!.ToLowerInvariant();

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
                    guest.Name, OpenAsync(guest, call, cancellationToken), call, cancellationToken));
            }
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _opening.Dispose();
    }

    // A guest that is only named has no channel before it runs.
    private static async Task<GuestAgentEndpoint> FindAsync(GuestTarget guest, OperationTime time, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return guest.Endpoint ?? GuestLookup.FindEndpoint(guest.Name);
            }
            catch (GuestAgentException e) when (e.Is(ErrorCatalogue.GuestNotFound) && !time.IsOver)
            {
                await time.DelayAsync(Pause, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<GuestAgentSession> OpenAsync(GuestTarget guest, CallOptions call, CancellationToken cancellationToken)
    {
        var time = new OperationTime(TimeProvider.System, call);
        var endpoint = await FindAsync(guest, time, cancellationToken).ConfigureAwait(false);
        var session = await AgentReadiness.WaitAsync(endpoint, null, time.Rest(), cancellationToken).ConfigureAwait(false);
        try
        {
            await AwaitAddressAsync(session, time, cancellationToken).ConfigureAwait(false);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    private Task AwaitAddressAsync(GuestAgentSession session, OperationTime time, CancellationToken cancellationToken) =>
        ForAddress is null ? Task.CompletedTask : session.WaitForAddressAsync(Family, time.Rest(), cancellationToken);

    private void Wait(GuestTarget guest, AgentSession session) => StartInOrder(guest, async (call, cancellationToken) =>
    {
        var time = new OperationTime(TimeProvider.System, call);
        await session.Core.WaitUntilReadyAsync(call, cancellationToken).ConfigureAwait(false);
        await AwaitAddressAsync(session.Core, time, cancellationToken).ConfigureAwait(false);
        var warn = await SessionOpening.WarnIfFrozenAsync(this, session, call, cancellationToken).ConfigureAwait(false);
        return () =>
        {
            warn();
            WriteObject(session);
        };
    });
}
