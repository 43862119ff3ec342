using System.Management.Automation;
using QemuGuestAgent.Core.Operations.Freezing;

namespace QemuGuestAgent.Commands;

/// <summary>Thaws the file systems of guests, whoever froze them.</summary>
[Cmdlet(VerbsLifecycle.Resume, "QemuGuestFileSystem", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType(typeof(AgentSession))]
public sealed class ResumeQemuGuestFileSystemCommand : GuestCmdlet
{
    /// <summary>Writes the sessions of the guests that are thawed.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override string? Activity => "Thawing guests";

    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(
        async (guest, call, cancellationToken) =>
        {
            var failure = await guest.Session.ThawAsync(call, cancellationToken).ConfigureAwait(false);
            return () =>
            {
                if (failure is not null)
                {
                    WriteError(ErrorRecords.Of(failure, guest.Target));
                }

                if (PassThru && guest.UserSession is { } session)
                {
                    WriteObject(session);
                }
            };
        },
        "Thaw the file systems");
}
