using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Tests.Session;

public sealed class FanOutProgressTests
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

        // It would wait for ever if nobody ended the second.
        fanOut.Finish(() =>
        {
            said.Add($"{fanOut.Remaining} left");
            end.TrySetResult();
        });

        Assert.Equal("first", said[0]);
        Assert.Equal("1 left", said[1]);
        Assert.Equal(0, fanOut.Remaining);
    }
}
