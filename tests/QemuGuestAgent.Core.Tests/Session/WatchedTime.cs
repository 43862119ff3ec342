using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>A clock that stands still, and tells when somebody begins to wait for it.</summary>
internal sealed class WatchedTime : FakeTimeProvider
{
    private readonly Channel<TimeSpan> _timers = Channel.CreateUnbounded<TimeSpan>();

    public WatchedTime() => Unwatched = new UnwatchedTime(this);

    /// <summary>The same clock, for those whose waits are not told: where two have it, whose timer it is decides, not how long it lasts.</summary>
    public TimeProvider Unwatched { get; }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        _timers.Writer.TryWrite(dueTime);
        return timer;
    }

    /// <summary>Waits until somebody waits for that long.</summary>
    /// <returns>The time to the tick: it is asked for in milliseconds, as .NET's timers are, and .NET Framework's are more exact.</returns>
    public async Task<TimeSpan> UntilAwaitedAsync(TimeSpan time)
    {
        TimeSpan due;
        do
        {
            due = await _timers.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(3));
        }
        while (due < time || due >= time + TimeSpan.FromMilliseconds(1));

        return due;
    }

    /// <summary>Waits until somebody waits for that long, then lets that time pass.</summary>
    /// <returns>That time, to the tick.</returns>
    public async Task<TimeSpan> PassAsync(TimeSpan time)
    {
        var due = await UntilAwaitedAsync(time);
        Advance(due);
        return due;
    }

    private ITimer CreateUnwatchedTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, dueTime, period);

    private sealed class UnwatchedTime(WatchedTime clock) : TimeProvider
    {
        public override long TimestampFrequency => clock.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

        public override long GetTimestamp() => clock.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            clock.CreateUnwatchedTimer(callback, state, dueTime, period);
    }
}
