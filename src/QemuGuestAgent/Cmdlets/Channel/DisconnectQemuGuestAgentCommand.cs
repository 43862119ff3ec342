using System.Management.Automation;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Conversion;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Commands;

/// <summary>Closes sessions at once, even while a command is running. Nothing is sent to the guests.</summary>
[Cmdlet(VerbsCommunications.Disconnect, "QemuGuestAgent", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class DisconnectQemuGuestAgentCommand : PSCmdlet
{
    private const string SessionSet = "Session";
    private const string NameSet = "Name";

    /// <summary>The sessions, or their names, with wildcards.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = SessionSet, ValueFromPipeline = true)]
    [SessionOf]
    [ArgumentCompleter(typeof(SessionNameCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public AgentSession[] Session { get; set; } = [];

    /// <summary>Names of sessions of this runspace, with wildcards.</summary>
    [Parameter(Mandatory = true, ParameterSetName = NameSet)]
    [ArgumentCompleter(typeof(SessionNameCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = [];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var sessions = ParameterSetName == NameSet ? Name.SelectMany(name => Find(name, () => SessionRegistry.OfThisRunspace.Find(name)))
            : Session.SelectMany(session => session is NamedGuest given
                ? Find(given.Name, () => new GuestLookup(SessionState, CancellationToken.None).FindSessions(given))
                : [session]);
        foreach (var session in sessions.Distinct())
        {
            if (ShouldProcess(session.Name))
            {
                SessionRegistry.Close(session);
            }
        }
    }

    private IReadOnlyList<AgentSession> Find(string name, Func<IReadOnlyList<AgentSession>> find)
    {
        try
        {
            return find();
        }
        catch (GuestAgentException e)
        {
            WriteError(ErrorRecords.Of(e, name));
            return [];
        }
    }
}
