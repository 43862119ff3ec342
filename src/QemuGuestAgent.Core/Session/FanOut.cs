namespace QemuGuestAgent.Core.Session;

/// <summary>
/// Runs an operation for each of many sessions, a limited number at a time, and passes their output to the one thread that may write it.
/// Results come as they arrive. Disposing cancels what still runs and waits for it: no session is left in somebody's hands.
/// </summary>
public sealed class FanOut : IDisposable
{
    private static readonly TimeSpan QuietTime = TimeSpan.FromSeconds(1);

    private readonly Queue<Action> _output = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _throttle;
    private readonly List<Task> _running = [];
    private bool _isComplete;

    /// <summary>Makes an empty one.</summary>
    /// <param name="throttleLimit">How many operations run at a time.</param>
    public FanOut(int throttleLimit) => _throttle = new SemaphoreSlim(throttleLimit);

    /// <summary>Starts an operation as soon as there is room for it.</summary>
    /// <param name="operation">Is given what carries an action to the draining thread, and a token that is cancelled by <see cref="Stop"/>.</param>
    /// <param name="here">
    /// Whether it begins on this thread: that spares the only operation being handed to another one, which takes longer than a command, but
    /// what it says comes once it first waits or ends.
    /// </param>
    public void Add(Func<Action<Action>, CancellationToken, Task> operation, bool here = false) =>
        _running.Add(here ? RunAsync(operation) : Task.Run(() => RunAsync(operation)));

    /// <summary>Has something run on the draining thread. For operations, while they run.</summary>
    public void Post(Action action)
    {
        lock (_output)
        {
            _output.Enqueue(action);
            Monitor.Pulse(_output);
        }
    }

    /// <summary>Runs what the operations have to say so far, on this thread, without waiting.</summary>
    public void Drain()
    {
        while (Take(TimeSpan.Zero, out _) is { } action)
        {
            action();
        }
    }

    /// <summary>How many operations have not ended yet, those that wait for room included.</summary>
    public int Remaining => _running.Count(operation => !operation.IsCompleted);

    /// <summary>Runs what the operations have to say, on this thread, until all have ended. What one of them threw comes out.</summary>
    /// <param name="whileWaiting">Is run after every second in which none had anything to say.</param>
    public void Finish(Action? whileWaiting = null)
    {
        var all = Task.WhenAll(_running);
        all.ContinueWith(_ => Complete(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        while (true)
        {
            if (Take(QuietTime, out var isComplete) is { } action)
            {
                action();
            }
            else if (isComplete)
            {
                break;
            }
            else
            {
                whileWaiting?.Invoke();
            }
        }

        all.GetAwaiter().GetResult();
    }

    /// <summary>Cancels what runs and what waits. May be called from any thread, at any time.</summary>
    public void Stop() => _stop.Cancel();

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        // Only waits: exceptions of operations have come out of Finish, or there is no caller left.
        Task.WhenAll(_running).ContinueWith(
            static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).Wait();
        _throttle.Dispose();
    }

    // What comes within that time; null for nothing. A wait of .NET's collections would spin first, at the expense of what works.
    private Action? Take(TimeSpan wait, out bool isComplete)
    {
        lock (_output)
        {
            if (_output.Count == 0 && !_isComplete && wait > TimeSpan.Zero)
            {
                Monitor.Wait(_output, wait);
            }

            isComplete = _isComplete;
            return _output.Count > 0 ? _output.Dequeue() : null;
        }
    }

    private void Complete()
    {
        lock (_output)
        {
            _isComplete = true;
            Monitor.Pulse(_output);
        }
    }

    private async Task RunAsync(Func<Action<Action>, CancellationToken, Task> operation)
    {
        try
        {
            await _throttle.WaitAsync(_stop.Token).ConfigureAwait(false);
            try
            {
                await operation(Post, _stop.Token).ConfigureAwait(false);
            }
            finally
            {
                _throttle.Release();
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // That is what Stop asked for.
        }
    }
}
