using System.Management.Automation;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Operations;

namespace QemuGuestAgent.Commands;

/// <summary>Gets the time of guests, and the offset of their clocks from this computer's.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestTime", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.Time")]
[OutputType(typeof(GuestTime))]
public sealed class GetQemuGuestTimeCommand : GuestCmdlet
{
    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(async (guest, call, cancellationToken) =>
        Output(guest, "Time", [await guest.Session.GetZonedTimeAsync(call, cancellationToken).ConfigureAwait(false)]));
}
