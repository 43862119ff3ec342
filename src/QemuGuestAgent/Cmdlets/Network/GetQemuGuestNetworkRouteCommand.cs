using System.Management.Automation;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Commands;

/// <summary>Gets the network routes of guests.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestNetworkRoute", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.NetworkRoute")]
[OutputType(typeof(GuestNetworkRoute))]
public sealed class GetQemuGuestNetworkRouteCommand : GuestCmdlet
{
    /// <summary>Names of the interfaces that the routes use, with wildcards; all by default.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(InterfaceNameCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] InterfaceName { get; set; } = ["*"];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var names = new NameFilter(InterfaceName);
        ForEachGuest(async (guest, call, cancellationToken) => Output(
            guest,
            "NetworkRoute",
            (await guest.Session.GetNetworkRoutesAsync(call, cancellationToken).ConfigureAwait(false))
                .Where(found => names.Matches(found.InterfaceName))));
    }
}
