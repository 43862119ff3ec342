using System.Management.Automation;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>A cmdlet that works on many guests at the same time and streams results as they arrive.</summary>
public abstract class FanOutCmdlet : PSCmdlet, IDisposable
{
    private readonly OrderedOutput _output = new();
    private readonly CancellationTokenSource _stop = new();
    private FanOut? _fanOut;
    private int _ordered;
    private CmdletTrace? _trace;
    private GuestLookup? _lookup;
    private ProgressRecord? _progress;

    /// <summary>The time limit for each guest, in seconds; 0 means no limit. 60 by default, unless the description says otherwise.</summary>
    [Parameter]
    [Alias("TimeoutSec")]
    [ValidateRange(0.0, 2147483.0)]
    public double TimeoutSeconds { get; set; } = 60;

    /// <summary>The maximum number of guests to work on at the same time; 32 by default.</summary>
    [Parameter]
    [ValidateRange(1, 4096)]
    public int ThrottleLimit { get; set; } = 32;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        _fanOut = new FanOut(ThrottleLimit);
        _trace = new CmdletTrace(this);
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        try
        {
            _fanOut!.Finish(TellProgress);
        }
        finally
        {
            if (_progress is not null)
            {
                _progress.RecordType = ProgressRecordType.Completed;
                WriteProgress(_progress);
            }
        }
    }

    /// <inheritdoc/>
    protected override void StopProcessing()
    {
        _stop.Cancel();
        _fanOut?.Stop();
    }

    /// <summary>Cancels what is still running and waits for it, even if the pipeline was stopped.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Cancels what is still running and waits for it.</summary>
    /// <param name="disposing">Whether called by <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
        _fanOut?.Dispose();
        _stop.Dispose();
    }

    // The name of an operation that may take long: a wait of more than a second is then shown as progress.
    private protected virtual string? Activity => null;

    // Whether a guest may come to be there after its name was given: it then has neither session nor endpoint.
    private protected virtual bool AwaitsNames => false;

    // The guests of sessions, each once. What is given in place of a session is looked up; what is not found is a non-terminating error.
    private protected IReadOnlyList<GuestTarget> TargetsOf(IEnumerable<AgentSession> sessions) => EachOnce(
        sessions.SelectMany(session => session is NamedGuest given ? Find(AgentSession.FullNameOf(given.Name, given.MarkedHost), lookup => lookup.Find(given)) : [new GuestTarget(session)]));

    // The guests of texts: names or endpoints.
    private protected IReadOnlyList<GuestTarget> TargetsOf(IEnumerable<string> texts, bool withSessions = true) => EachOnce(
        texts.SelectMany(text => Find(text, lookup => lookup.Find(text, withSessions))));

    // The sessions that are open, for what cannot be done through a channel opened for one command.
    private protected IReadOnlyList<AgentSession> OpenSessions(IEnumerable<AgentSession> sessions)
    {
        var open = new List<AgentSession>();
        foreach (var session in sessions)
        {
            try
            {
                open.AddRange(session is NamedGuest given ? Lookup.FindSessions(given) : [session]);
            }
            catch (GuestAgentException e)
            {
                WriteError(ErrorRecords.Of(e, session.Name));
            }
        }

        return open;
    }

    // Starts an operation on a guest. An endpoint is opened for it and closed afterwards. On the pipeline's thread ('here') only what is brief.
    private protected void StartOn(
        GuestTarget target, Func<Guest, CallOptions, CancellationToken, Task<Action>> operation, bool here = false)
    {
        if (target.Session is { } session)
        {
            Start(target, (call, cancellationToken) => operation(new Guest(target, session.Core), call, cancellationToken), here);
            return;
        }

        Start(target, async (call, cancellationToken) =>
        {
            if (SessionRegistry.IsOpen(target.Endpoint!))
            {
                throw SessionRegistry.InUse(target.Endpoint!);
            }

            using var channel = await GuestAgentSession.ConnectAsync(target.Endpoint!, null, call, cancellationToken).ConfigureAwait(false);
            return await operation(new Guest(target, channel), call, cancellationToken).ConfigureAwait(false);
        }, here);
    }

    // Starts an operation for a guest. It returns what to do with its result on the pipeline's thread; a failure of this guest is a
    // non-terminating error, and does not affect the others.
    private protected void Start(GuestTarget target, Func<CallOptions, CancellationToken, Task<Action>> operation, bool here = false)
    {
        _fanOut!.Add(async (emit, cancellationToken) =>
        {
            var call = new CallOptions
            {
                Timeout = TimeSpan.FromSeconds(TimeoutSeconds),
                Trace = _trace!.Trace(target.FullName, emit),
            };
            try
            {
                emit(await operation(call, cancellationToken).ConfigureAwait(false));
            }
            catch (GuestAgentException e)
            {
                emit(() => WriteError(ErrorRecords.Of(e, target)));
            }
        }, here);
        _fanOut.Drain();
    }

    // Like Start, but the results are written in the order in which the guests were given, whichever finishes first:
    // '$a, $b = Connect-QemuGuestAgent …' must never swap two guests.
    private protected void StartInOrder(GuestTarget target, Func<CallOptions, CancellationToken, Task<Action>> operation)
    {
        var number = _ordered++;
        Start(target, async (call, cancellationToken) =>
        {
            Action write;
            try
            {
                write = await operation(call, cancellationToken).ConfigureAwait(false);
            }
            catch (GuestAgentException e)
            {
                write = () => WriteError(ErrorRecords.Of(e, target));
            }

            return () => _output.Run(number, write);
        });
    }

    private GuestLookup Lookup => _lookup ??= new GuestLookup(SessionState, _stop.Token);

    private IReadOnlyList<GuestTarget> Find(string text, Func<GuestLookup, IReadOnlyList<GuestTarget>> find)
    {
        try
        {
            var found = find(Lookup);
            foreach (var warning in found.Select(target => target.Endpoint?.SecurityWarning).OfType<string>())
            {
                WriteWarning(warning);
            }

            return found;
        }
        catch (GuestAgentException e) when (AwaitsNames && e.Is(ErrorCatalogue.GuestNotFound))
        {
            return [new GuestTarget(text, text, null, null)];
        }
        catch (GuestAgentException e)
        {
            WriteError(ErrorRecords.Of(e, text));
            return [];
        }
        catch (OperationCanceledException)
        {
            throw new PipelineStoppedException();
        }
    }

    // A channel that is given twice would wait for itself.
    private static List<GuestTarget> EachOnce(IEnumerable<GuestTarget> targets)
    {
        var seen = new HashSet<object>();
        return [.. targets.Where(target => ((object?)target.Session ?? target.Endpoint?.LockName) is not { } channel || seen.Add(channel))];
    }

    // Runs an action on the pipeline's thread.
    private protected void Post(Action action) => _fanOut!.Post(action);

    // Runs an action on the pipeline's thread and waits for it, so that output does not pile up faster than it is consumed.
    private protected async Task SendAsync(Action action, CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            action();
            done.SetResult(true);
        });
        await done.Task.WaitAsync(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken).ConfigureAwait(false);
    }

    private void TellProgress()
    {
        if (Activity is { } activity)
        {
            _progress ??= new ProgressRecord(0, activity, " ");
            _progress.StatusDescription = $"Waiting for {_fanOut!.Remaining} of the guests";
            WriteProgress(_progress);
        }
    }
}
