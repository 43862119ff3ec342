using System.Management.Automation;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Commands;

/// <summary>Gets the commands of guest agents, whether their policy allows them, and what QEMU's schema says about them.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestAgentCommand", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.AgentCommand")]
[OutputType(typeof(AgentCommand))]
public sealed class GetQemuGuestAgentCommandCommand : GuestCmdlet
{
    /// <summary>Names of commands, with wildcards; all by default.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(CommandCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = ["*"];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var names = new NameFilter(Name);
        ForEachGuest(async (guest, call, cancellationToken) => Output(
            guest,
            "AgentCommand",
            (await guest.Session.GetCommandsAsync(call, cancellationToken).ConfigureAwait(false)).Where(c => names.Matches(c.Name))));
    }
}
