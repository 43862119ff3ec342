using System.Management.Automation;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Commands;

/// <summary>Gets the sessions that this runspace has opened and not closed.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestAgent", DefaultParameterSetName = NameSet)]
[OutputType(typeof(AgentSession))]
public sealed class GetQemuGuestAgentCommand : PSCmdlet
{
    private const string NameSet = "Name";
    private const string IdSet = "Id";

    /// <summary>Names of sessions, with wildcards; all by default.</summary>
    [Parameter(Position = 0, ParameterSetName = NameSet, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(SessionNameCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = ["*"];

    /// <summary>Numbers of sessions.</summary>
    [Parameter(Mandatory = true, ParameterSetName = IdSet)]
    public int[] Id { get; set; } = [];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var asked in ParameterSetName == IdSet ? Id.Cast<object>() : Name)
        {
            try
            {
                var registry = SessionRegistry.OfThisRunspace;
                WriteObject(asked is int id ? [registry.Find(id)] : registry.Find((string)asked), enumerateCollection: true);
            }
            catch (GuestAgentException e)
            {
                WriteError(ErrorRecords.Of(e, asked));
            }
        }
    }
}
