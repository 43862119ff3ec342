using System.Management.Automation;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Cmdlets.Look;

/// <summary>Gets the counters of the disks and partitions of guests.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestDiskStatistic", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.DiskStatistic")]
public sealed class GetQemuGuestDiskStatistic : GuestCmdlet
{
    /// <summary>Names of disks without their folder, such as vda, with wildcards; all by default.</summary>
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
            "DiskStatistic",
            (await guest.Channel.GetDiskStatisticsAsync(call, stop).ConfigureAwait(false))
                .Where(found => names.Matches(found.Name))));
    }
}
