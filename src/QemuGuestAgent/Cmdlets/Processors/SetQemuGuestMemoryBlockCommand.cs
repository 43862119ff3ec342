using System.Management.Automation;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>Takes memory blocks of guests online or offline. One that cannot be switched is an error; the others are switched.</summary>
[Cmdlet(VerbsCommon.Set, "QemuGuestMemoryBlock", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType("QemuGuestAgent.MemoryBlock")]
[OutputType(typeof(GuestMemoryBlock))]
public sealed class SetQemuGuestMemoryBlockCommand : OnlineSwitchCmdlet
{
    /// <summary>The blocks' numbers, as Get-QemuGuestMemoryBlock shows them.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public ulong[] PhysicalIndex { get; set; } = [];

    private protected override string Thing => "memory block";

    private protected override ulong[] Ids => PhysicalIndex;

    private protected override async Task<Action> GetAsync(
        Guest guest, IReadOnlyList<ulong> ids, CallOptions call, CancellationToken cancellationToken) => Output(
        guest,
        "MemoryBlock",
        (await guest.Session.GetSizedMemoryBlocksAsync(call, cancellationToken).ConfigureAwait(false))
            .Where(found => found.PhysicalIndex is { } number && ids.Contains(number)));

    private protected override Task<IReadOnlyList<GuestAgentException>> SwitchAsync(
        GuestAgentSession channel, IReadOnlyList<ulong> ids, bool online, CallOptions call, CancellationToken cancellationToken) =>
        channel.SwitchMemoryBlocksAsync(ids, online, call, cancellationToken);
}
