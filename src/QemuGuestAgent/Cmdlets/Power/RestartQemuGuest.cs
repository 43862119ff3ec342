using System.Management.Automation;
using QemuGuestAgent.Core.Operations;

namespace QemuGuestAgent.Cmdlets.Power;

/// <summary>Restarts guests.</summary>
[Cmdlet(
    VerbsLifecycle.Restart, "QemuGuest", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true,
    ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(void))]
public sealed class RestartQemuGuest : PowerCmdlet
{
    private protected override GuestPowerChange Change => GuestPowerChange.Restart;

    private protected override string What => "Restart";
}
