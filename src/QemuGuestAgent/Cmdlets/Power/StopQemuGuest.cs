using System.Management.Automation;
using QemuGuestAgent.Core.Operations;

namespace QemuGuestAgent.Cmdlets.Power;

/// <summary>Shuts guests down and switches them off.</summary>
[Cmdlet(
    VerbsLifecycle.Stop, "QemuGuest", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true,
    ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(void))]
public sealed class StopQemuGuest : PowerCmdlet
{
    /// <summary>Leaves the virtual machine switched on.</summary>
    [Parameter]
    public SwitchParameter Halt { get; set; }

    private protected override GuestPowerChange Change => Halt ? GuestPowerChange.Halt : GuestPowerChange.PowerOff;

    private protected override string What => "Shut down";
}
