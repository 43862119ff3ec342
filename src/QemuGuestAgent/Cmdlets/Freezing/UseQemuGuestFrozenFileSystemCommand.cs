using System.Collections.Concurrent;
using System.Management.Automation;
using System.Runtime.ExceptionServices;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Conversion;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Freezing;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>Runs a script block while the file systems of guests are frozen, and thaws them whatever happens.</summary>
[Cmdlet(VerbsOther.Use, "QemuGuestFrozenFileSystem", SupportsShouldProcess = true)]
[OutputType(typeof(PSObject))]
public sealed class UseQemuGuestFrozenFileSystemCommand : PSCmdlet, IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly List<AgentSession> _given = [];
    private readonly List<AgentSession> _sessions = [];
    private readonly ConcurrentBag<GuestAgentSession> _opened = [];
    private readonly ConcurrentQueue<Action> _traced = new();
    private readonly CancellationTokenSource _stop = new();

    /// <summary>
    /// The guests, which are frozen together: sessions, names of sessions or of guests of this host (with wildcards), or endpoints, which are
    /// opened for this call and closed afterwards.
    /// </summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [SessionOf]
    [ArgumentCompleter(typeof(GuestCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public AgentSession[] Session { get; set; } = [];

    /// <summary>The script block to run while they are frozen, in the caller's scope. If the sessions come through the pipeline, give it by name.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNull]
    public ScriptBlock ScriptBlock { get; set; } = null!;

    /// <summary>Mount points of the file systems to freeze; all by default.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(MountPointCompleter))]
    [ValidateNotNullOrEmpty]
    public string[]? MountPoint { get; set; }

    /// <summary>The maximum time that the guests may be frozen, in seconds, 300 by default. Then they are thawed and the script block is stopped.</summary>
    [Parameter]
    [ValidateRange(0.001, 2147483.0)]
    public double MaximumSeconds { get; set; } = 300;

    /// <summary>The time limit for freezing them, in seconds, 60 by default; 0 means no limit.</summary>
    [Parameter]
    [Alias("TimeoutSec")]
    [ValidateRange(0.0, 2147483.0)]
    public double TimeoutSeconds { get; set; } = 60;

    /// <summary>The name of a variable, without $, that receives the outcome for each guest.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? OutcomeVariable { get; set; }

    /// <summary>Freezes even if something is in progress on a session.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => _given.AddRange(Session.Except(_given));

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        try
        {
            var guests = FindGuests();
            if (guests.Count == 0
                || !ShouldProcess(string.Join(", ", guests), "Freeze the file systems, run a script block and thaw them"))
            {
                return;
            }

            Open(guests);
            Fail(_sessions
                .Where(session => !Force && session.UnderWay is not null)
                .Select(session => new FreezeFailure(
                    session.Core, ErrorCatalogue.FreezeInFlight.WithTarget(session.Name, session.Endpoint, session.UnderWay))));
            Run(NewScope());
        }
        catch (GuestAgentException e)
        {
            ThrowTerminatingError(ErrorRecords.Of(e, _given));
        }
    }

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var session in _opened)
        {
            session.Dispose();
        }

        _stop.Dispose();
    }

    private List<GuestTarget> FindGuests()
    {
        var lookup = new GuestLookup(SessionState, _stop.Token);
        return [.. _given
            .SelectMany(session => session is NamedGuest given ? lookup.Find(given) : [new GuestTarget(session)])
            .Distinct()];
    }

    // If one of them cannot be opened, none is frozen.
    private void Open(IReadOnlyList<GuestTarget> guests)
    {
        var call = NewCall(string.Join(", ", guests));
        var opening = Task.WhenAll(guests.Select(async guest =>
        {
            if (guest.Session is { } session)
            {
                return session;
            }

            var opened = await GuestAgentSession.ConnectAsync(guest.Endpoint!, null, call, _stop.Token).ConfigureAwait(false);
            _opened.Add(opened);
            return new AgentSession(guest.Name, opened);
        }));
        Await(opening);
        _sessions.AddRange(opening.GetAwaiter().GetResult());
    }

    private FreezeScope NewScope() => new(
        [.. _sessions.Select(session => session.Core)],
        new FreezeOptions { MountPoints = MountPoint, MaximumTime = TimeSpan.FromSeconds(MaximumSeconds) },
        NewCall(string.Join(", ", _sessions)));

    private CallOptions NewCall(string names) => new()
    {
        Timeout = TimeSpan.FromSeconds(TimeoutSeconds),
        Trace = new CmdletTrace(this).Trace(names, _traced.Enqueue),
    };

    // Whatever ends it: what was begun comes to its end first.
    private void Await(Task work)
    {
        while (Task.WaitAny([work], Pause) < 0)
        {
            Drain();
        }

        if (Stopping)
        {
            throw new PipelineStoppedException();
        }
    }

    private void Run(FreezeScope scope)
    {
        IReadOnlyList<FreezeFailure> failures = [];
        var hasSucceeded = false;
        Exception? end = null;
        try
        {
            failures = Freeze(scope);
            hasSucceeded = failures.Count == 0 && RunBlock(scope);
        }
#pragma warning disable CA1031 // Whatever it is, the guests are thawed first; then it is rethrown.
        catch (Exception e)
#pragma warning restore CA1031
        {
            end = e;
        }

        var outcomes = scope.ThawAsync(hasSucceeded).GetAwaiter().GetResult();
        if (OutcomeVariable is not null)
        {
            SessionState.PSVariable.Set(
                OutcomeVariable,
                outcomes.Select(outcome => new AgentFreezeOutcome(SessionOf(outcome.Session), outcome, end?.Message)).ToArray());
        }

        if (end is not null and (PipelineStoppedException or not RuntimeException))
        {
            // No error is shown any more.
            HostErrors.Write(this, ErrorsOf(outcomes, outcome => outcome.Result == FreezeResult.LeftFrozen));
            ExceptionDispatchInfo.Capture(end).Throw();
        }

        Drain();
        Fail(failures);
        Tell(outcomes, (end as RuntimeException)?.ErrorRecord);
    }

    private IReadOnlyList<FreezeFailure> Freeze(FreezeScope scope)
    {
        var freezing = scope.FreezeAsync(_stop.Token);
        Await(freezing);
        return freezing.GetAwaiter().GetResult();
    }

    private bool RunBlock(FreezeScope scope)
    {
        using var script = new NestedScript(this, ScriptBlock);
        _ = scope.Interruption.ContinueWith(
            _ => script.Stop(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return script.Run();
    }

    // Errors: if the block was not completed, or a guest not thawed, nothing after this cmdlet may continue as if it had been.
    private void Tell(IReadOnlyList<FreezeOutcome> outcomes, ErrorRecord? ofBlock)
    {
        static bool IsFatal(FreezeOutcome outcome) =>
            outcome.Result is FreezeResult.LeftFrozen or FreezeResult.TimeLimit or FreezeResult.SessionClosed;

        var fatal = ErrorsOf(outcomes, IsFatal).ToList();
        foreach (var failure in ErrorsOf(outcomes, outcome => !IsFatal(outcome)))
        {
            WriteError(ErrorRecords.Of(failure.Error, new GuestTarget(SessionOf(failure.Session))));
        }

        if (ofBlock is not null)
        {
            if (fatal.Count == 0)
            {
                ThrowTerminatingError(ofBlock);
            }

            WriteError(ofBlock);
        }

        Fail(fatal);
    }

    // All failures are written; the last one ends the cmdlet.
    private void Fail(IEnumerable<FreezeFailure> failures)
    {
        ErrorRecord? last = null;
        foreach (var failure in failures)
        {
            if (last is not null)
            {
                WriteError(last);
            }

            last = ErrorRecords.Of(failure.Error, new GuestTarget(SessionOf(failure.Session)));
        }

        if (last is not null)
        {
            ThrowTerminatingError(last);
        }
    }

    private static IEnumerable<FreezeFailure> ErrorsOf(IEnumerable<FreezeOutcome> outcomes, Func<FreezeOutcome, bool> which) => outcomes
        .Where(outcome => outcome.Error is not null && which(outcome))
        .Select(outcome => new FreezeFailure(outcome.Session, outcome.Error!));

    private AgentSession SessionOf(GuestAgentSession core) => _sessions.First(session => session.Core == core);

    private void Drain()
    {
        while (_traced.TryDequeue(out var tell))
        {
            tell();
        }
    }
}
