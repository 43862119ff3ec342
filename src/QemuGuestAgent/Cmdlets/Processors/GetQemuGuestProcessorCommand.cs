using System.Management.Automation;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Commands;

/// <summary>Gets the processors of guests, and which of them are online.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestProcessor", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.Processor")]
[OutputType(typeof(GuestProcessor))]
public sealed class GetQemuGuestProcessorCommand : GuestCmdlet
{
    /// <summary>Numbers of processors; all by default.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public long[]? LogicalId { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(async (guest, call, cancellationToken) => Output(
        guest,
        "Processor",
        (await guest.Session.GetProcessorsAsync(call, cancellationToken).ConfigureAwait(false))
            .Where(found => LogicalId is null || (found.LogicalId is { } number && LogicalId.Contains(number)))));
}
