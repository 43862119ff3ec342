using System.Management.Automation;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Commands;

/// <summary>Gets the counters of the disks and partitions of guests.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestDiskStatistic", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.DiskStatistic")]
[OutputType(typeof(GuestDiskStatistics))]
public sealed class GetQemuGuestDiskStatisticCommand : GuestCmdlet
{
    /// <summary>Names of disks without a folder, such as vda, with wildcards; all by default.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(DiskStatisticNameCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = ["*"];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var names = new NameFilter(Name);
        ForEachGuest(async (guest, call, cancellationToken) => Output(
            guest,
            "DiskStatistic",
            (await guest.Session.GetDiskStatisticsAsync(call, cancellationToken).ConfigureAwait(false))
                .Where(found => names.Matches(found.Name))));
    }
}
