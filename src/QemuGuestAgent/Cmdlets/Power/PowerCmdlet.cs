using System.Management.Automation;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>A cmdlet that shuts guests down, restarts or suspends them.</summary>
public abstract class PowerCmdlet : GuestCmdlet
{
    /// <summary>Makes one that waits for five minutes.</summary>
    protected PowerCmdlet() => TimeoutSeconds = 300;

    /// <summary>Waits until the operation has completed.</summary>
    [Parameter]
    public SwitchParameter Wait { get; set; }

    /// <summary>Does not ask for a second confirmation if something is in progress on a session.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    private protected override string? Activity => Wait ? $"{What} guests" : null;

    // The operation, such as "Restart".
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
        || ShouldContinue($"On the session '{session.Name}' {underWay}. {What} the guest anyway?", $"{What} a guest that is busy");
}
