using System.Management.Automation;
using QemuGuestAgent.Core.Operations;

namespace QemuGuestAgent.Cmdlets.Look;

/// <summary>Gets a summary of guests: system, addresses, load, users, clock, file systems. What is refused is empty.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuest", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.GuestSummary")]
public sealed class GetQemuGuest : GuestCmdlet
{
    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(async (guest, call, stop) =>
        Output(guest, "GuestSummary", [await guest.Channel.GetSummaryAsync(guest.Name, call, stop).ConfigureAwait(false)]));
}
