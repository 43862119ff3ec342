using System.Management.Automation;
using QemuGuestAgent.Core.Operations;

namespace QemuGuestAgent.Cmdlets.Look;

/// <summary>Gets the time of guests, and how far their clocks are ahead of this machine's.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestTime", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.Time")]
public sealed class GetQemuGuestTime : GuestCmdlet
{
    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(async (guest, call, stop) =>
        Output(guest, "Time", [await guest.Channel.GetZonedTimeAsync(call, stop).ConfigureAwait(false)]));
}
