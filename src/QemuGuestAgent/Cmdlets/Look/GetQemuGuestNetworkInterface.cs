using System.Management.Automation;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Cmdlets.Look;

/// <summary>Gets the network interfaces of guests, with their addresses and counters.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestNetworkInterface", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.NetworkInterface")]
public sealed class GetQemuGuestNetworkInterface : GuestCmdlet
{
    /// <summary>Names of interfaces, with wildcards; all by default.</summary>
    [Parameter]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = ["*"];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var names = new NameFilter(Name);
        ForEachGuest(async (guest, call, stop) => Output(
            guest,
            "NetworkInterface",
            (await guest.Channel.GetNetworkInterfacesAsync(call, stop).ConfigureAwait(false)).Where(i => names.Matches(i.Name))));
    }
}
