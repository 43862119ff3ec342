using System.Management.Automation;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Commands;

/// <summary>Gets the devices of Windows guests, with their drivers.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestDevice", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.Device")]
[OutputType(typeof(GuestDevice))]
public sealed class GetQemuGuestDeviceCommand : GuestCmdlet
{
    /// <summary>Names of drivers, with wildcards; all by default.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(DriverNameCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] DriverName { get; set; } = ["*"];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var names = new NameFilter(DriverName);
        ForEachGuest(async (guest, call, cancellationToken) => Output(
            guest,
            "Device",
            (await guest.Session.GetDevicesAsync(call, cancellationToken).ConfigureAwait(false))
                .Where(found => names.Matches(found.DriverName))));
    }
}
