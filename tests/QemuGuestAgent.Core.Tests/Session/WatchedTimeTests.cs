using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>The tests' clock, where more than one waits for it.</summary>
public sealed class WatchedTimeTests
{
    private static readonly TimeSpan Same = TimeSpan.FromSeconds(3);

    [Fact]
    public async Task A_wait_of_the_same_length_of_somebody_else_is_not_taken_for_the_one_that_is_waited_for()
    {
        var time = new WatchedTime();
        using var others = new CancellationTokenSource(Same, time.Unwatched);
        var awaited = time.UntilAwaitedAsync(Same);
        Assert.False(awaited.IsCompleted);

        using var own = new CancellationTokenSource(Same, time);
        await awaited.OrHang();
        time.Advance(Same);
        Assert.True(others.IsCancellationRequested && own.IsCancellationRequested);
    }
}
