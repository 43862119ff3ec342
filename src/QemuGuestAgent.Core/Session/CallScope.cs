using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Session;

/// <summary>What ends a call early: its caller, its time, or the session's closing.</summary>
internal sealed class CallScope : IDisposable
{
    private static readonly CallOptions Usual = new();
    private static readonly Action<object?> Cancel = static source => ((CancellationTokenSource)source!).Cancel();

    private readonly TimeProvider _timeProvider;
    private readonly CancellationToken _caller;
    private readonly CancellationToken _closing;
    private readonly CancellationTokenSource _end;
    private readonly CancellationTokenRegistration _callersEnd;
    private readonly CancellationTokenRegistration _closingsEnd;

    public CallScope(CallOptions? call, TimeProvider timeProvider, CancellationToken caller, CancellationToken closing)
    {
        Call = call ?? Usual;
        _timeProvider = timeProvider;
        _caller = caller;
        _closing = closing;
        var time = Call.Timeout > TimeSpan.Zero ? Call.Timeout : Timeout.InfiniteTimeSpan;
#if NET
        _end = new CancellationTokenSource(time, timeProvider);
#else
        _end = timeProvider.CreateCancellationTokenSource(time);
#endif
        _callersEnd = caller.Register(Cancel, _end);
        _closingsEnd = closing.Register(Cancel, _end);
    }

    public CallOptions Call { get; }

    public Action<TraceEvent>? Trace => Call.Trace;

    public CancellationToken Token => _end.Token;

    /// <summary>Waits, until the call ends at the latest.</summary>
    public Task DelayAsync(TimeSpan delay) =>
#if NET
        Task.Delay(delay, _timeProvider, Token);
#else
        _timeProvider.Delay(delay, Token);
#endif

    /// <summary>Why <see cref="Token"/> was cancelled, as the exception to throw.</summary>
    public Exception Explain(Func<GuestAgentException> closed, Func<GuestAgentException> timedOut) =>
        _caller.IsCancellationRequested ? new OperationCanceledException(_caller)
        : _closing.IsCancellationRequested ? closed()
        : timedOut();

    public void Dispose()
    {
        _callersEnd.Dispose();
        _closingsEnd.Dispose();
        _end.Dispose();
    }
}
