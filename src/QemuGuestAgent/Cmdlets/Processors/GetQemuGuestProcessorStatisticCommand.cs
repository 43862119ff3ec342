using System.Management.Automation;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Commands;

/// <summary>Gets how the processors of guests have spent their time.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestProcessorStatistic", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.ProcessorStatistic")]
[OutputType(typeof(GuestProcessorStatistics))]
public sealed class GetQemuGuestProcessorStatisticCommand : GuestCmdlet
{
    /// <summary>Numbers of processors; all by default.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public long[]? LogicalId { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(async (guest, call, cancellationToken) => Output(
        guest,
        "ProcessorStatistic",
        (await guest.Session.GetProcessorStatisticsAsync(call, cancellationToken).ConfigureAwait(false))
            .Where(found => LogicalId is null || (found.LogicalId is { } number && LogicalId.Contains(number)))));
}
