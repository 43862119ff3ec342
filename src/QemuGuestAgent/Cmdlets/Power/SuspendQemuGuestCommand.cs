using System.Management.Automation;
using QemuGuestAgent.Core.Operations.Power;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>Suspends guests to their memory, to their disk or to both.</summary>
[Cmdlet(
    VerbsLifecycle.Suspend, "QemuGuest", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true,
    ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(void))]
public sealed class SuspendQemuGuestCommand : PowerCmdlet
{
    /// <summary>Where the guest saves its state: Disk, Memory or Hybrid.</summary>
    [Parameter(Mandatory = true)]
    public SuspendTarget To { get; set; }

    private protected override string What => "Suspend";

    private protected override Task ChangeAsync(Guest guest, CallOptions call, CancellationToken cancellationToken)
    {
        var change = To switch
        {
            SuspendTarget.Disk => GuestPowerChange.SuspendToDisk,
            SuspendTarget.Memory => GuestPowerChange.SuspendToMemory,
            _ => GuestPowerChange.SuspendHybrid,
        };
        return guest.Session.ChangePowerAsync(change, Wait, call, cancellationToken);
    }
}
