using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Session;

/// <summary>What ends a call early: its caller, its time, or the session's closing.</summary>
internal sealed class CallScope : IDisposable
{
    private readonly CancellationToken _caller;
    private readonly CancellationToken _closing;
    private readonly CancellationTokenSource _time;
    private readonly CancellationTokenSource _linked;

    public CallScope(CallOptions? call, TimeProvider timeProvider, CancellationToken caller, CancellationToken closing)
    {
        Call = call ?? new CallOptions();
        _caller = caller;
        _closing = closing;
        var time = Call.Timeout > TimeSpan.Zero ? Call.Timeout : Timeout.InfiniteTimeSpan;
#if NET
        _time = new CancellationTokenSource(time, timeProvider);
#else
        _time = timeProvider.CreateCancellationTokenSource(time);
#endif
        _linked = CancellationTokenSource.CreateLinkedTokenSource(caller, closing, _time.Token);
    }

    public CallOptions Call { get; }

    public CancellationToken Token => _linked.Token;

    public void Step(string text) => Call.Trace?.Invoke(new TraceEvent(TraceKind.Step, text));

    /// <summary>Why <see cref="Token"/> was cancelled, as the exception to throw.</summary>
    public Exception Explain(Func<GuestAgentException> closed, Func<GuestAgentException> timedOut) =>
        _caller.IsCancellationRequested ? new OperationCanceledException(_caller)
        : _closing.IsCancellationRequested ? closed()
        : timedOut();

    public void Dispose()
    {
        _linked.Dispose();
        _time.Dispose();
    }
}
