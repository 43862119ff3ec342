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
    public void The_only_operation_begins_on_the_thread_that_finishes()
    {
        using var fanOut = new FanOut(throttleLimit: 2, holdsOnly: true);
        var began = 0;
        var said = false;
        fanOut.Add((emit, _) =>
        {
            began = Environment.CurrentManagedThreadId;
            emit(() => said = true);
            return Task.CompletedTask;
        });

        Assert.Equal(0, began);
        fanOut.Finish();

        Assert.Equal(Environment.CurrentManagedThreadId, began);
        Assert.True(said);
    }

    [Fact]
    public void A_second_operation_starts_the_one_that_waited_for_it()
    {
        using var fanOut = new FanOut(throttleLimit: 2, holdsOnly: true);
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
        using var fanOut = new FanOut(throttleLimit: 1, holdsOnly: true);
        var began = false;
        fanOut.Add((_, _) =>
        {
            began = true;
            return Task.CompletedTask;
        });

        fanOut.Stop();
        fanOut.Finish();

        Assert.False(began);
    }
}
