using System.Management.Automation;
using QemuGuestAgent.Core.Operations;

namespace QemuGuestAgent.Commands;

/// <summary>Gets the time of guests, and how far their clocks are ahead of this machine's.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestTime", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.Time")]
public sealed class GetQemuGuestTimeCommand : GuestCmdlet
{
    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(async (guest, call, cancellationToken) =>
        Output(guest, "Time", [await guest.Session.GetZonedTimeAsync(call, cancellationToken).ConfigureAwait(false)]));
}
