using System.Management.Automation;
using System.Management.Automation.Host;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Conversion;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>A cmdlet that reads or changes something in each of many guests.</summary>
public abstract class GuestCmdlet : FanOutCmdlet
{
    internal const string SessionSet = "Session";
    internal const string EndpointSet = "Endpoint";

    /// <summary>
    /// The guests: sessions, names of sessions or of guests of this host (with wildcards), endpoints, or objects that came from guests, such
    /// as the output of a Get cmdlet. A guest without a session is opened for this call and closed afterwards.
    /// </summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = SessionSet, ValueFromPipeline = true)]
    [SessionOf]
    [ArgumentCompleter(typeof(GuestCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public AgentSession[] Session { get; set; } = [];

    /// <summary>Endpoints to open for this call and to close afterwards, or names of guests. Some kinds of endpoint start programs.</summary>
    [Parameter(Mandatory = true, ParameterSetName = EndpointSet, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(EndpointCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Endpoint { get; set; } = [];

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        if (MyInvocation.ExpectingInput && !TakesOtherInput
            && MyInvocation.BoundParameters.TryGetValue(nameof(Session), out var given) && given is AgentSession[] { Length: > 0 } sessions)
        {
            ThrowTerminatingError(ErrorRecords.Of(ErrorCatalogue.GuestsGivenTwice.With(sessions[0]), sessions[0]));
        }
    }

    // Finds the guests given; call it once for each input object.
    private protected IReadOnlyList<GuestTarget> FindGuests() => ParameterSetName == EndpointSet ? TargetsOf(Endpoint) : TargetsOf(Session);

    // Starts an operation on each guest given; a cmdlet that changes something describes the change, for -WhatIf
    // and -Confirm.
    private protected void ForEachGuest(
        Func<Guest, CallOptions, CancellationToken, Task<Action>> operation, string? change = null)
    {
        foreach (var guest in FindGuests())
        {
            ForGuest(guest, operation, change);
        }
    }

    // Starts an operation on one of the guests given.
    private protected void ForGuest(
        GuestTarget guest, Func<Guest, CallOptions, CancellationToken, Task<Action>> operation, string? change = null)
    {
        if (change is null || (Confirms(guest.Text, change) && (guest.Session is not { } session || Consents(session))))
        {
            StartOn(guest, operation);
        }
    }

    // Where PowerShell cannot ask (-NonInteractive, a host without prompts), its own error says neither what for nor how to do without.
    private bool Confirms(string target, string change)
    {
        try
        {
            return ShouldProcess(target, change);
        }
        catch (Exception e) when (e is HostException or PSInvalidOperationException or PSNotImplementedException)
        {
            ThrowTerminatingError(ErrorRecords.Of(ErrorCatalogue.ConfirmationNotPossible.Because(e, target, change), target));
            return false;
        }
    }

    // Whether something else than guests can come through the pipeline.
    private bool TakesOtherInput => MyInvocation.MyCommand.Parameters.Values
        .Where(parameter => parameter.Name is not (nameof(Session) or nameof(Endpoint)))
        .SelectMany(parameter => parameter.ParameterSets.Values)
        .Any(set => set.ValueFromPipeline || set.ValueFromPipelineByPropertyName);

    // A second confirmation, after -Confirm.
    private protected virtual bool Consents(AgentSession session) => true;

    // Writes the errors of parts of a guest.
    private protected Action Report(Guest guest, IReadOnlyList<GuestAgentException> failures) => () =>
    {
        foreach (var failure in failures)
        {
            WriteError(ErrorRecords.Of(failure, guest.Target));
        }
    };

    // Warns of output that was not kept.
    private protected Action WarnOfTruncation(Guest guest, string what, GuestProcessResult result) => () =>
    {
        if (result.Truncated)
        {
            WriteWarning($"{guest.Target.FullName}: {what} wrote more than the 16 MiB of each stream that are kept. With -Stream all of it is written.");
        }
    };

    // Writes typed replies, as QemuGuestAgent.<thing>.
    private protected Action Output(Guest guest, string thing, IEnumerable<object> replies)
    {
        var objects = replies.Select(reply => GuestObject.Of(reply, thing, guest)).ToList();
        return () => objects.ForEach(WriteObject);
    }
}
