using System.Management.Automation;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Conversion;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>A cmdlet that reads or changes something in each of many guests.</summary>
public abstract class GuestCmdlet : FanOutCmdlet
{
    internal const string SessionSet = "Session";
    internal const string EndpointSet = "Endpoint";

    /// <summary>The sessions with the guests' agents, or objects that came from them, such as the output of a Get cmdlet.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = SessionSet, ValueFromPipeline = true)]
    [SessionOf]
    [ValidateNotNullOrEmpty]
    public AgentSession[] Session { get; set; } = [];

    /// <summary>Endpoints to open for this call and to close afterwards. Some kinds start programs.</summary>
    [Parameter(Mandatory = true, ParameterSetName = EndpointSet, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(EndpointCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Endpoint { get; set; } = [];

    // The guests given: sessions, or endpoints as they were written.
    private protected IEnumerable<object> Guests => ParameterSetName == EndpointSet ? Endpoint : Session;

    // Starts an operation on each guest given; a cmdlet that changes something describes the change, for -WhatIf
    // and -Confirm.
    private protected void ForEachGuest(
        Func<Guest, CallOptions, CancellationToken, Task<Action>> operation, string? change = null)
    {
        foreach (var guest in Guests)
        {
            ForGuest(guest, operation, change);
        }
    }

    // Starts an operation on one of the guests given.
    private protected void ForGuest(
        object given, Func<Guest, CallOptions, CancellationToken, Task<Action>> operation, string? change = null)
    {
        if (given is AgentSession session)
        {
            if (change is null || (ShouldProcess(session.Name, change) && Consents(session)))
            {
                StartOn(session, operation);
            }
        }
        else if (given is string text && ParseEndpoint(text) is { } endpoint && (change is null || ShouldProcess(text, change)))
        {
            StartOn(endpoint, text, operation);
        }
    }

    // A second confirmation, after -Confirm.
    private protected virtual bool Consents(AgentSession session) => true;

    // Writes the errors of parts of a guest; the parts are their targets.
    private protected Action Report(IReadOnlyList<GuestAgentException> failures) => () =>
    {
        foreach (var failure in failures)
        {
            WriteError(ErrorRecords.Of(failure, failure.Target!));
        }
    };

    // Writes typed replies, as QemuGuestAgent.<thing>.
    private protected Action Output(Guest guest, string thing, IEnumerable<object> replies)
    {
        var objects = replies.Select(reply => GuestObject.Of(reply, thing, guest)).ToList();
        return () => objects.ForEach(WriteObject);
    }
}
