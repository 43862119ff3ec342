using System.Management.Automation;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Operations;

namespace QemuGuestAgent.Commands;

/// <summary>Gets the memory blocks of guests, and which of them are online.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestMemoryBlock", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.MemoryBlock")]
[OutputType(typeof(GuestMemoryBlock))]
public sealed class GetQemuGuestMemoryBlockCommand : GuestCmdlet
{
    /// <summary>Numbers of memory blocks; all by default.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public ulong[]? PhysicalIndex { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(async (guest, call, cancellationToken) => Output(
        guest,
        "MemoryBlock",
        (await guest.Session.GetSizedMemoryBlocksAsync(call, cancellationToken).ConfigureAwait(false))
            .Where(found => PhysicalIndex is null || (found.PhysicalIndex is { } number && PhysicalIndex.Contains(number)))));
}
