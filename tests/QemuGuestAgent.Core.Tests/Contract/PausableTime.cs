namespace QemuGuestAgent.Core.Tests.Contract;

/// <summary>A clock on which every wait is over at once, but none while it is paused.</summary>
internal sealed class PausableTime : TimeProvider
{
    private readonly object _gate = new();
    private readonly List<Wait> _waiting = [];
    private bool _isPaused;

    public bool IsPaused
    {
        set
        {
            lock (_gate)
            {
                _isPaused = value;
                if (!value)
                {
                    _waiting.ForEach(wait => wait.End());
                    _waiting.Clear();
                }
            }
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var wait = new Wait(callback, state);
        lock (_gate)
        {
            if (_isPaused)
            {
                _waiting.Add(wait);
            }
            else
            {
                wait.End();
            }
        }

        return wait;
    }

    private sealed class Wait(TimerCallback callback, object? state) : ITimer
    {
        private volatile bool _isDisposed;

        public void End() => ThreadPool.QueueUserWorkItem(_ =>
        {
            if (!_isDisposed)
            {
                callback(state);
            }
        });

        public bool Change(TimeSpan dueTime, TimeSpan period) => throw new NotSupportedException();

        public void Dispose() => _isDisposed = true;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
