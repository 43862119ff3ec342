using System.Management.Automation;
using QemuGuestAgent.Core.Operations.Power;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>Shuts guests down and switches them off.</summary>
[Cmdlet(
    VerbsLifecycle.Stop, "QemuGuest", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true,
    ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(void))]
public sealed class StopQemuGuestCommand : PowerCmdlet
{
    /// <summary>Leaves the virtual machine switched on.</summary>
    [Parameter]
    public SwitchParameter Halt { get; set; }

    private protected override string What => "Shut down";

    private protected override Task ChangeAsync(Guest guest, CallOptions call, CancellationToken cancellationToken) =>
        guest.Session.ChangePowerAsync(Halt ? GuestPowerChange.Halt : GuestPowerChange.PowerOff, Wait, call, cancellationToken);
}
