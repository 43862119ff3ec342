using System.Management.Automation;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Commands;

/// <summary>Gets the network interfaces of guests, with their addresses and counters.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestNetworkInterface", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.NetworkInterface")]
[OutputType(typeof(GuestNetworkInterface))]
public sealed class GetQemuGuestNetworkInterfaceCommand : GuestCmdlet
{
    /// <summary>Names of interfaces, with wildcards; all by default.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(InterfaceNameCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = ["*"];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var names = new NameFilter(Name);
        ForEachGuest(async (guest, call, cancellationToken) => Output(
            guest,
            "NetworkInterface",
            (await guest.Session.GetNetworkInterfacesAsync(call, cancellationToken).ConfigureAwait(false)).Where(i => names.Matches(i.Name))));
    }
}
