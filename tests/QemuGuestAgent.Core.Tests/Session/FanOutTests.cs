using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Tests.Session;

public sealed class FanOutTests
{
    [Fact]
    public void While_all_are_quiet_the_draining_thread_gets_its_turn_and_can_see_how_many_are_left()
    {
        using var fanOut = new FanOut(throttleLimit: 2);
        var end = new TaskCompletionSource();
        var said = new List<string>();
        fanOut.Add((emit, _) =>
        {
            emit(() => said.Add("first"));
            return Task.CompletedTask;
        });
        fanOut.Add((_, _) => end.Task);

        // It would wait for ever if nobody ended the second. On a busy machine the first may not have begun yet.
        fanOut.Finish(() =>
        {
            said.Add($"{fanOut.Remaining} left");
            if (fanOut.Remaining == 1)
            {
                end.TrySetResult();
            }
        });

        Assert.Contains("first", said);
        Assert.Equal("1 left", said[^1]);
        Assert.Equal(0, fanOut.Remaining);
    }

    [Fact]
    public void An_operation_may_begin_on_the_thread_that_adds_it()
    {
        using var fanOut = new FanOut(throttleLimit: 2);
        var began = 0;
        var said = false;
        fanOut.Add((emit, _) =>
        {
            began = Environment.CurrentManagedThreadId;
            emit(() => said = true);
            return Task.CompletedTask;
        }, here: true);

        Assert.Equal(Environment.CurrentManagedThreadId, began);
        Assert.False(said);
        fanOut.Finish();

        Assert.True(said);
    }

    [Fact]
    public void Others_run_at_the_same_time_on_threads_of_their_own()
    {
        using var fanOut = new FanOut(throttleLimit: 2);
        using var both = new Barrier(2);
        var began = new HashSet<int>();
        for (var i = 0; i < both.ParticipantCount; i++)
        {
            fanOut.Add((emit, stop) =>
            {
                // Neither gets past here without the other.
                both.SignalAndWait(stop);
                var thread = Environment.CurrentManagedThreadId;
                emit(() => began.Add(thread));
                return Task.CompletedTask;
            });
        }

        fanOut.Finish();

        Assert.Equal(both.ParticipantCount, began.Count);
        Assert.DoesNotContain(Environment.CurrentManagedThreadId, began);
    }

    [Fact]
    public void One_that_was_stopped_before_it_began_does_nothing()
    {
        using var fanOut = new FanOut(throttleLimit: 1);
        var began = false;
        fanOut.Stop();
        fanOut.Add((_, _) =>
        {
            began = true;
            return Task.CompletedTask;
        }, here: true);

        fanOut.Finish();

        Assert.False(began);
    }
}
