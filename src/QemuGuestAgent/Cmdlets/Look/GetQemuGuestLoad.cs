using System.Management.Automation;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Cmdlets.Look;

/// <summary>Gets the load of guests.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestLoad", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.Load")]
public sealed class GetQemuGuestLoad : GuestCmdlet
{
    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(async (guest, call, stop) =>
        Output(guest, "Load", [await guest.Channel.GetLoadAsync(call, stop).ConfigureAwait(false)]));
}
