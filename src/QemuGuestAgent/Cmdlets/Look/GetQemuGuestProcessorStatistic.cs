using System.Management.Automation;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Cmdlets.Look;

/// <summary>Gets what the processors of guests have spent their time on.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestProcessorStatistic", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.ProcessorStatistic")]
public sealed class GetQemuGuestProcessorStatistic : GuestCmdlet
{
    /// <summary>Numbers of processors; all by default.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public long[]? LogicalId { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(async (guest, call, stop) => Output(
        guest,
        "ProcessorStatistic",
        (await guest.Channel.GetProcessorStatisticsAsync(call, stop).ConfigureAwait(false))
            .Where(found => LogicalId is null || (found.LogicalId is { } number && LogicalId.Contains(number)))));
}
