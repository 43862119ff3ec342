using System.Management.Automation;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Commands;

/// <summary>Gets the disks and partitions of guests, with their addresses and the devices that they consist of.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestDisk", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.Disk")]
[OutputType(typeof(GuestDisk))]
public sealed class GetQemuGuestDiskCommand : GuestCmdlet
{
    /// <summary>Names of disks as the guests have them, such as /dev/vda, with wildcards; all by default.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(DiskNameCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = ["*"];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var names = new NameFilter(Name);
        ForEachGuest(async (guest, call, cancellationToken) => Output(
            guest,
            "Disk",
            (await guest.Session.GetDisksAsync(call, cancellationToken).ConfigureAwait(false))
                .Where(found => names.Matches(found.Name))));
    }
}
