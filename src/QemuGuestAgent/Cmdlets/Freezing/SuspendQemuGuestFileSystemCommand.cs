using System.Management.Automation;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Freezing;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>Freezes the file systems of guests until they are thawed with Resume-QemuGuestFileSystem.</summary>
[Cmdlet(
    VerbsLifecycle.Suspend, "QemuGuestFileSystem", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true,
    ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(AgentSession))]
public sealed class SuspendQemuGuestFileSystemCommand : GuestCmdlet
{
    /// <summary>Mount points of the file systems to freeze; all by default.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(MountPointCompleter))]
    [ValidateNotNullOrEmpty]
    public string[]? MountPoint { get; set; }

    /// <summary>Freezes even if something is in progress on a session.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Writes the sessions of the guests that are frozen.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override string? Activity => "Freezing guests";

    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(FreezeAsync, "Freeze the file systems");

    private async Task<Action> FreezeAsync(Guest guest, CallOptions call, CancellationToken cancellationToken)
    {
        if (!Force && guest.UserSession?.UnderWay is { } underWay)
        {
            throw ErrorCatalogue.FreezeInFlight.WithTarget(guest.Name, guest.Session.Endpoint, underWay);
        }

        var limit = await guest.Session.GetFreezeLimitAsync(call, cancellationToken).ConfigureAwait(false);
        var scope = new FreezeScope([guest.Session], new FreezeOptions { MountPoints = MountPoint }, call);
        var failures = await scope.FreezeAsync(cancellationToken).ConfigureAwait(false);
        if (failures.Count > 0 && cancellationToken.IsCancellationRequested)
        {
            HostErrors.Write(this, failures);
        }

        if (failures.Count == 0 && !scope.TryLeaveFrozen())
        {
            throw ErrorCatalogue.SessionClosed.WithTarget(guest.Name, guest.Session.Endpoint);
        }

        return () =>
        {
            foreach (var failure in failures)
            {
                WriteError(ErrorRecords.Of(failure.Error, guest.Target));
            }

            if (failures.Count == 0 && limit is { } longest)
            {
                WriteWarning(
                    $"{guest.Target.FullName}: Windows holds writes for {longest.TotalSeconds} seconds only. Its agent calls it frozen until it is thawed.");
            }

            if (failures.Count == 0 && PassThru && guest.UserSession is { } session)
            {
                WriteObject(session);
            }
        };
    }
}
