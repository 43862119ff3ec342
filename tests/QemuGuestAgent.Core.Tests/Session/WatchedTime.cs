using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>A clock that stands still, and tells when somebody begins to wait for it.</summary>
internal sealed class WatchedTime : FakeTimeProvider
{
    private readonly Channel<TimeSpan> _timers = Channel.CreateUnbounded<TimeSpan>();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        _timers.Writer.TryWrite(dueTime);
        return timer;
    }

    /// <summary>Waits until somebody waits for that long, then lets that time pass.</summary>
    public async Task PassAsync(TimeSpan time)
    {
        while (await _timers.Reader.ReadAsync().AsTask().OrHang() != time)
        {
        }

        Advance(time);
    }
}
