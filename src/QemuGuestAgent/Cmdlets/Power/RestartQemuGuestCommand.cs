using System.Management.Automation;
using QemuGuestAgent.Core.Operations.Power;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>Restarts guests.</summary>
[Cmdlet(
    VerbsLifecycle.Restart, "QemuGuest", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true,
    ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(void))]
public sealed class RestartQemuGuestCommand : PowerCmdlet
{
    private protected override string What => "Restart";

    private protected override Task ChangeAsync(Guest guest, CallOptions call, CancellationToken cancellationToken) =>
        guest.Session.ChangePowerAsync(GuestPowerChange.Restart, Wait, call, cancellationToken);
}
