using System.Management.Automation;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>Takes logical processors of guests online or offline. One that cannot be switched is an error; the others are switched.</summary>
[Cmdlet(VerbsCommon.Set, "QemuGuestProcessor", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType("QemuGuestAgent.Processor")]
[OutputType(typeof(GuestProcessor))]
public sealed class SetQemuGuestProcessorCommand : OnlineSwitchCmdlet
{
    /// <summary>The processors' numbers, as Get-QemuGuestProcessor shows them.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public ulong[] LogicalId { get; set; } = [];

    private protected override string Thing => "processor";

    private protected override ulong[] Ids => LogicalId;

    private protected override async Task<Action> GetAsync(
        Guest guest, IReadOnlyList<ulong> ids, CallOptions call, CancellationToken cancellationToken) => Output(
        guest,
        "Processor",
        (await guest.Session.GetProcessorsAsync(call, cancellationToken).ConfigureAwait(false))
            .Where(found => found.LogicalId is >= 0 and var number && ids.Contains((ulong)number)));

    private protected override Task<IReadOnlyList<GuestAgentException>> SwitchAsync(
        GuestAgentSession channel, IReadOnlyList<ulong> ids, bool online, CallOptions call, CancellationToken cancellationToken) =>
        channel.SwitchProcessorsAsync(ids, online, call, cancellationToken);
}
