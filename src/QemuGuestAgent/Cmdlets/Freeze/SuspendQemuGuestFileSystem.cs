using System.Management.Automation;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Cmdlets.Freeze;

/// <summary>Freezes the file systems of guests until they are thawed with Resume-QemuGuestFileSystem.</summary>
[Cmdlet(
    VerbsLifecycle.Suspend, "QemuGuestFileSystem", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true,
    ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(AgentSession))]
public sealed class SuspendQemuGuestFileSystem : GuestCmdlet
{
    /// <summary>Where the file systems are mounted that shall be frozen; all by default.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? MountPoint { get; set; }

    /// <summary>Freezes also where something is under way on a session.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Writes the sessions of the guests that are frozen.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override string? Activity => "Freezing guests";

    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(FreezeAsync, "Freeze the file systems");

    private async Task<Action> FreezeAsync(Guest guest, CallOptions call, CancellationToken stop)
    {
        if (!Force && guest.Session?.UnderWay is { } underWay)
        {
            throw ErrorCatalogue.FreezeInFlight.With(guest.Name, guest.Channel.Endpoint, underWay);
        }

        var scope = new FreezeScope([guest.Channel], new FreezeOptions { MountPoints = MountPoint }, call);
        var failures = await scope.FreezeAsync(stop).ConfigureAwait(false);
        if (failures.Count > 0 && stop.IsCancellationRequested)
        {
            Alarm.Sound(this, failures);
        }

        if (failures.Count == 0 && !scope.TryLeaveFrozen())
        {
            throw ErrorCatalogue.SessionClosed.With(guest.Name, guest.Channel.Endpoint);
        }

        return () =>
        {
            foreach (var failure in failures)
            {
                WriteError(ErrorRecords.Of(failure.Error, (object?)guest.Session ?? guest.Name));
            }

            if (failures.Count == 0 && PassThru && guest.Session is { } session)
            {
                WriteObject(session);
            }
        };
    }
}
