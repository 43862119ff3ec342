using System.Management.Automation;
using QemuGuestAgent.Core.Operations;

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

    private protected override GuestPowerChange Change => To switch
    {
        SuspendTarget.Disk => GuestPowerChange.SuspendToDisk,
        SuspendTarget.Memory => GuestPowerChange.SuspendToMemory,
        _ => GuestPowerChange.SuspendHybrid,
    };

    private protected override string What => "Suspend";
}
