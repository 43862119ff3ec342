using System.Management.Automation;
using QemuGuestAgent.Core.Operations;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Cmdlets.Power;

/// <summary>Restarts guests.</summary>
[Cmdlet(
    VerbsLifecycle.Restart, "QemuGuest", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true,
    ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(void))]
public sealed class RestartQemuGuest : PowerCmdlet
{
    private protected override string What => "Restart";

    private protected override Task ChangeAsync(Guest guest, CallOptions call, CancellationToken stop) =>
        guest.Channel.ChangePowerAsync(GuestPowerChange.Restart, Wait, call, stop);
}
