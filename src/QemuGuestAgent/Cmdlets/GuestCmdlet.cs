using System.Management.Automation;
using QemuGuestAgent.Conversion;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Cmdlets;

/// <summary>A cmdlet that asks or changes something in each of many guests.</summary>
public abstract class GuestCmdlet : FanOutCmdlet
{
    internal const string SessionSet = "Session";
    internal const string EndpointSet = "Endpoint";

    /// <summary>The sessions with the guests' agents.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = SessionSet, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    public AgentSession[] Session { get; set; } = [];

    /// <summary>Endpoints to open for this once, and to close afterwards.</summary>
    [Parameter(Mandatory = true, ParameterSetName = EndpointSet, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string[] Endpoint { get; set; } = [];

    // Starts an operation on each guest given; a cmdlet that changes something says what, and is asked about it with -WhatIf and -Confirm.
    private protected void ForEachGuest(Func<Guest, CallOptions, CancellationToken, Task<Action>> operation, string? change = null)
    {
        if (ParameterSetName == EndpointSet)
        {
            foreach (var text in Endpoint)
            {
                if (ParseEndpoint(text) is { } endpoint && (change is null || ShouldProcess(text, change)))
                {
                    StartOn(endpoint, text, operation);
                }
            }

            return;
        }

        foreach (var session in Session.Where(session => change is null || ShouldProcess(session.Name, change)))
        {
            StartOn(session, operation);
        }
    }

    // What writes typed replies, as QemuGuestAgent.<thing>.
    private protected Action Output(Guest guest, string thing, IEnumerable<object> replies)
    {
        var objects = replies.Select(reply => GuestObject.Of(reply, thing, guest)).ToList();
        return () => objects.ForEach(WriteObject);
    }
}
