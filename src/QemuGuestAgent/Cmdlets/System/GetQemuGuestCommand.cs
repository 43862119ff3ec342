using System.Management.Automation;
using QemuGuestAgent.Core.Operations;

namespace QemuGuestAgent.Commands;

/// <summary>Gets a summary of guests: system, addresses, load, users, clock and file systems. What the agent refuses is left empty.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuest", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.GuestSummary")]
[OutputType(typeof(GuestSummary))]
public sealed class GetQemuGuestCommand : GuestCmdlet
{
    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(async (guest, call, cancellationToken) =>
        Output(guest, "GuestSummary", [await guest.Session.GetSummaryAsync(guest.Name, call, cancellationToken).ConfigureAwait(false)]));
}
