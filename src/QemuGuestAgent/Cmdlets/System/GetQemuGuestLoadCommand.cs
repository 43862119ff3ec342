using System.Management.Automation;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Commands;

/// <summary>Gets the load of guests.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestLoad", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.Load")]
[OutputType(typeof(GuestLoad))]
public sealed class GetQemuGuestLoadCommand : GuestCmdlet
{
    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(async (guest, call, cancellationToken) =>
        Output(guest, "Load", [await guest.Session.GetLoadAsync(call, cancellationToken).ConfigureAwait(false)]));
}
