using System.Management.Automation;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Conversion;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>A cmdlet that asks or changes something in each of many guests.</summary>
public abstract class GuestCmdlet : FanOutCmdlet
{
    internal const string SessionSet = "Session";
    internal const string EndpointSet = "Endpoint";

    /// <summary>The sessions with the guests' agents, or what was had by them, such as the objects of a Get cmdlet.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = SessionSet, ValueFromPipeline = true)]
    [SessionOf]
    [ValidateNotNullOrEmpty]
    public AgentSession[] Session { get; set; } = [];

    /// <summary>Endpoints to open for this once, and to close afterwards; some kinds start programs.</summary>
    [Parameter(Mandatory = true, ParameterSetName = EndpointSet, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(EndpointCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Endpoint { get; set; } = [];

    // The guests given: sessions, or endpoints as they were written.
    private protected IEnumerable<object> Guests => ParameterSetName == EndpointSet ? Endpoint : Session;

    // Starts an operation on each guest given; a cmdlet that changes something says what, and is asked about it with -WhatIf
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

    // Whether a change is wanted nevertheless, once -Confirm has been asked.
    private protected virtual bool Consents(AgentSession session) => true;

    // What writes the errors of parts of a guest; the parts are their targets.
    private protected Action Report(IReadOnlyList<GuestAgentException> failures) => () =>
    {
        foreach (var failure in failures)
        {
            WriteError(ErrorRecords.Of(failure, failure.Target!));
        }
    };

    // What writes typed replies, as QemuGuestAgent.<thing>.
    private protected Action Output(Guest guest, string thing, IEnumerable<object> replies)
    {
        var objects = replies.Select(reply => GuestObject.Of(reply, thing, guest)).ToList();
        return () => objects.ForEach(WriteObject);
    }
}
