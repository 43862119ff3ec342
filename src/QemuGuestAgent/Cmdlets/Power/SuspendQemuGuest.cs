using System.Management.Automation;
using QemuGuestAgent.Core.Operations;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Cmdlets.Power;

/// <summary>Suspends guests to their memory, to their disk or to both.</summary>
[Cmdlet(
    VerbsLifecycle.Suspend, "QemuGuest", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true,
    ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(void))]
public sealed class SuspendQemuGuest : PowerCmdlet
{
    /// <summary>Where the guest saves its state: Disk, Memory or Hybrid.</summary>
    [Parameter(Mandatory = true)]
    public SuspendTarget To { get; set; }

    private protected override string What => "Suspend";

    private protected override Task ChangeAsync(Guest guest, CallOptions call, CancellationToken stop)
    {
        var change = To switch
        {
            SuspendTarget.Disk => GuestPowerChange.SuspendToDisk,
            SuspendTarget.Memory => GuestPowerChange.SuspendToMemory,
            _ => GuestPowerChange.SuspendHybrid,
        };
        return guest.Channel.ChangePowerAsync(change, Wait, call, stop);
    }
}
