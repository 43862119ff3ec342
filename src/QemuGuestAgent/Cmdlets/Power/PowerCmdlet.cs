using System.Management.Automation;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>A cmdlet that shuts guests down, restarts or suspends them.</summary>
public abstract class PowerCmdlet : GuestCmdlet
{
    /// <summary>Makes one that waits for five minutes.</summary>
    protected PowerCmdlet() => TimeoutSeconds = 300;

    /// <summary>Waits until it has happened.</summary>
    [Parameter]
    public SwitchParameter Wait { get; set; }

    /// <summary>Does not ask where something is under way on a session.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    private protected override string? Activity => Wait ? $"{What} guests" : null;

    // What is done, as in "Restart".
    private protected abstract string What { get; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(
        async (guest, call, cancellationToken) =>
        {
            await ChangeAsync(guest, call, cancellationToken).ConfigureAwait(false);
            return () => { };
        },
        What);

    private protected abstract Task ChangeAsync(Guest guest, CallOptions call, CancellationToken cancellationToken);

    private protected override bool Consents(AgentSession session) =>
        Force || session.UnderWay is not { } underWay
        || ShouldContinue($"On the session '{session.Name}' {underWay}. {What} the guest nevertheless?", $"{What} a guest that is at work");
}
