using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Session;

/// <summary>What ends a call early: its caller, its time, or the session's closing; and, within another call, the end of that.</summary>
internal sealed class CallScope : IDisposable
{
    private static readonly CallOptions Usual = new();
    private static readonly Action<object?> Cancel = static source => ((CancellationTokenSource)source!).Cancel();

    private readonly TimeProvider _timeProvider;
    private readonly CallScope? _outer;
    private readonly CancellationToken _caller;
    private readonly CancellationToken _closing;
    private readonly long _started;
    private CancellationTokenSource? _end;
    private CancellationTokenRegistration _callersEnd;
    private CancellationTokenRegistration _closingsEnd;

    public CallScope(CallOptions? call, TimeProvider timeProvider, CancellationToken caller, CancellationToken closing)
    {
        Call = call ?? Usual;
        _timeProvider = timeProvider;
        _caller = caller;
        _closing = closing;
        _started = timeProvider.GetTimestamp();
    }

    private CallScope(TimeSpan timeout, CallScope outer)
        : this(new CallOptions { Timeout = timeout }, outer._timeProvider, CancellationToken.None, CancellationToken.None) => _outer = outer;

    public CallOptions Call { get; }

    public Action<TraceEvent>? Trace => Call.Trace;

    /// <summary>Cancelled when the call ends. It is made when it is needed first: most calls are answered before.</summary>
    public CancellationToken Token => (_end ??= Begin()).Token;

    /// <summary>Whether the call has ended early.</summary>
    public bool HasEnded => _end?.IsCancellationRequested == true || _caller.IsCancellationRequested || _closing.IsCancellationRequested
        || _outer?.HasEnded == true || (Call.Timeout > TimeSpan.Zero && Left <= TimeSpan.Zero);

    private TimeSpan Left => Call.Timeout - _timeProvider.GetElapsedTime(_started);

    /// <summary>A part of this call, with a time limit of its own.</summary>
    public CallScope Within(TimeSpan timeout) => new(timeout, this);

    /// <exception cref="OperationCanceledException">The call has ended early.</exception>
    public void ThrowIfEnded()
    {
        if (HasEnded)
        {
            throw new OperationCanceledException();
        }
    }

    /// <summary>Waits, until the call ends at the latest.</summary>
    public Task DelayAsync(TimeSpan delay) =>
#if NET
        Task.Delay(delay, _timeProvider, Token);
#else
        _timeProvider.Delay(delay, Token);
#endif

    /// <summary>Why the call has ended, as the exception to throw.</summary>
    public Exception Explain(Func<GuestAgentException> closed, Func<GuestAgentException> timedOut) =>
        _caller.IsCancellationRequested ? new OperationCanceledException(_caller)
        : _closing.IsCancellationRequested ? closed()
        : timedOut();

    public void Dispose()
    {
        if (_end is { } end)
        {
            _callersEnd.Dispose();
            _closingsEnd.Dispose();
            end.Dispose();
        }
    }

    private CancellationTokenSource Begin()
    {
        var left = Call.Timeout <= TimeSpan.Zero ? Timeout.InfiniteTimeSpan : Left is var time && time > TimeSpan.Zero ? time : TimeSpan.Zero;
#if NET
        var end = new CancellationTokenSource(left, _timeProvider);
#else
        var end = _timeProvider.CreateCancellationTokenSource(left);
#endif
        _callersEnd = (_outer?.Token ?? _caller).Register(Cancel, end);
        _closingsEnd = _closing.Register(Cancel, end);
        return end;
    }
}
