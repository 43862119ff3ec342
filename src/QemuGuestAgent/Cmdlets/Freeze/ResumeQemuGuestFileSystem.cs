using System.Management.Automation;
using QemuGuestAgent.Core.Operations;

namespace QemuGuestAgent.Cmdlets.Freeze;

/// <summary>Thaws the file systems of guests, whoever froze them.</summary>
[Cmdlet(VerbsLifecycle.Resume, "QemuGuestFileSystem", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType(typeof(AgentSession))]
public sealed class ResumeQemuGuestFileSystem : GuestCmdlet
{
    /// <summary>Writes the sessions of the guests that are thawed.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override string? Activity => "Thawing guests";

    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(
        async (guest, call, stop) =>
        {
            var failure = await guest.Channel.ThawAsync(call, stop).ConfigureAwait(false);
            return () =>
            {
                if (failure is not null)
                {
                    WriteError(ErrorRecords.Of(failure, (object?)guest.Session ?? guest.Name));
                }

                if (PassThru && guest.Session is { } session)
                {
                    WriteObject(session);
                }
            };
        },
        "Thaw the file systems");
}
