using System.Diagnostics;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Tests.Contract;

// The agent dies, stops or is slow, or the caller gives up: never a wrong answer, and always a way on.
public abstract partial class AgentContract
{
    [Fact]
    public async Task A_session_survives_the_agent_s_death_between_two_commands()
    {
        using var session = await Peer.ConnectAsync();
        await Peer.KillAsync();
        await Peer.StartAsync();

        if (!Peer.ChannelOutlivesBothEnds)
        {
            AssertTellsOfLoss(await Assert.ThrowsAsync<GuestAgentException>(() => EchoAsync(session, 4)));
            AssertTellsOfLoss(await Assert.ThrowsAsync<GuestAgentException>(() => EchoAsync(session, 5)));
            await session.SynchronizeAsync(cancellationToken: TestEnd);
        }

        await AssertServesAsync(session);
    }

    [Fact]
    public async Task A_session_survives_the_agent_s_death_during_a_command()
    {
        using var session = await Peer.ConnectAsync();
        using var impatience = CancellationTokenSource.CreateLinkedTokenSource(TestEnd);
        await Peer.PauseAsync();
        var outstanding = EchoAsync(session, 4, cancellationToken: impatience.Token);
        await Peer.KillAsync();
        await Peer.StartAsync();

        if (Peer.ChannelOutlivesBothEnds)
        {
            // The next agent answers what the former had not read; else there may be silence, and the caller gives up.
            await (Peer.NextAgentAnswersTheUnread ? outstanding : impatience.CancelAsync());
            var isAnswered = await IsAnsweredAsync(outstanding, 4);
            Assert.True(isAnswered || !Peer.NextAgentAnswersTheUnread);
        }
        else
        {
            AssertTellsOfLoss(await Assert.ThrowsAsync<GuestAgentException>(() => outstanding));
            await session.SynchronizeAsync(cancellationToken: TestEnd);
        }

        await AssertServesAsync(session);
    }

    [Fact]
    public async Task A_session_survives_the_agent_s_death_in_the_middle_of_a_reply()
    {
        var handle = await MakeFileAsync(new byte[8 << 20]);
        var tap = new TappedEndpoint(Peer.Endpoint);
        using var session = await Peer.ConnectAsync(tap);
        using var impatience = CancellationTokenSource.CreateLinkedTokenSource(TestEnd);
        var held = tap.HoldAfterAsync(1000);
        var outstanding = session.InvokeAsync(
            Request("guest-file-read", new { handle, count = 8 << 20 }), cancellationToken: impatience.Token);
        await held;
        await Peer.KillAsync();
        await Peer.StartAsync();
        tap.Release();

        if (Peer.ChannelOutlivesBothEnds)
        {
            await impatience.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => outstanding);
        }
        else
        {
            AssertTellsOfLoss(await Assert.ThrowsAsync<GuestAgentException>(() => outstanding));
            await session.SynchronizeAsync(cancellationToken: TestEnd);
        }

        await AssertServesAsync(session);
    }

    [Fact]
    public async Task A_client_connects_after_the_agent_s_death_in_the_middle_of_a_reply()
    {
        var handle = await MakeFileAsync(new byte[8 << 20]);
        await using (var client = await Peer.ConnectRawAsync())
        {
            await client.SendAsync(FileReadRequest(handle, 8 << 20));
            await client.ReadSomeAsync();
            await Peer.KillAsync();
        }

        await Peer.StartAsync();
        using var session = await Peer.ConnectAsync();

        await AssertServesAsync(session);
    }

    [Fact]
    public async Task While_the_agent_is_stopped_calls_time_out_and_afterwards_get_their_own_answers()
    {
        using var session = await Peer.ConnectAsync();
        await Peer.PauseAsync();

        await AssertFailsAsync("CommandTimedOut", () => EchoAsync(session, 4, Briefly));
        var error = await AssertFailsAsync("AgentBusy", () => EchoAsync(session, 5, Briefly));
        Assert.Contains("'guest-sync'", error.Message);
        await AssertFailsAsync("AgentBusy", () => session.SynchronizeAsync(Briefly, TestEnd));
        Assert.Equal(GuestAgentSessionState.OutOfSync, session.State);

        await Peer.ResumeAsync();
        Assert.Equal(6, await EchoAsync(session, 6));

        // The answer to the command and to the two syncs before, with the complaints about their 0xFF.
        Assert.Equal(1 + 2 + 2 + 1, session.LastSync!.RepliesDiscarded);
        await AssertServesAsync(session);
    }

    [Fact]
    public async Task A_client_of_a_stopped_agent_is_told_that_it_is_silent()
    {
        await Peer.PauseAsync();
        await AssertFailsAsync("AgentSilent", () => Peer.ConnectAsync(options: Briefly));
        await Peer.ResumeAsync();

        using var session = await Peer.ConnectAsync();

        await AssertServesAsync(session);
    }

    [Fact]
    public async Task A_call_can_be_cancelled_in_the_middle_of_its_reply()
    {
        var handle = await MakeFileAsync(new byte[4 << 20]);
        var tap = new TappedEndpoint(Peer.Endpoint);
        using var session = await Peer.ConnectAsync(tap);
        using var impatience = CancellationTokenSource.CreateLinkedTokenSource(TestEnd);
        var held = tap.HoldAfterAsync(1000);
        var outstanding = session.InvokeAsync(
            Request("guest-file-read", new { handle, count = 4 << 20 }), cancellationToken: impatience.Token);
        await held;

        await impatience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => outstanding);
        Assert.Equal(GuestAgentSessionState.OutOfSync, session.State);
        tap.Release();
        await AssertServesAsync(session);
        Assert.True(session.LastSync!.BytesDiscarded > 4 << 20);
    }

    [Fact]
    public async Task However_often_callers_give_up_no_answer_reaches_another_one()
    {
        const int Calls = 100;
        using var session = await Peer.ConnectAsync();
        var random = new Random(1);
        var answered = 0;
        for (var call = 0; call < Calls; call++)
        {
            using var impatience = CancellationTokenSource.CreateLinkedTokenSource(TestEnd);

            // Some give up as soon as it is sent, some not at all: the others race with the answer, which may always win or lose here.
            var kind = random.Next(4);
            var options = new CallOptions { Trace = e => GiveUp(kind == 0 && e.Kind == TraceKind.Sent, impatience) };
            var outstanding = EchoAsync(session, call, options, impatience.Token);
            if (kind > 1)
            {
                Spin(TimeSpan.FromMicroseconds(Math.Pow(2, random.Next(12))), outstanding);
                GiveUp(true, impatience);
            }

            answered += await IsAnsweredAsync(outstanding, call) ? 1 : 0;
        }

        Assert.InRange(answered, Calls / 20, Calls * 19 / 20);
        await AssertServesAsync(session);
    }

    [Fact]
    public async Task Callers_at_the_same_time_get_each_their_own_answer()
    {
        using var session = await Peer.ConnectAsync();

        var numbers = Enumerable.Range(0, 50).Select(number => (long)number).ToArray();

        var answers = await Task.WhenAll(numbers.Select(number => Task.Run(() => EchoAsync(session, number), TestEnd)));

        Assert.Equal(numbers, answers);
    }

    [Fact]
    public async Task Closing_ends_the_outstanding_command_and_leaves_the_agent_usable()
    {
        var session = await Peer.ConnectAsync();
        await Peer.PauseAsync();
        var outstanding = EchoAsync(session, 4);
        var waiting = EchoAsync(session, 5);

        session.Dispose();

        await AssertFailsAsync("SessionClosed", () => outstanding);
        await AssertFailsAsync("SessionClosed", () => waiting);
        await AssertFailsAsync("SessionClosed", () => EchoAsync(session, 6));
        await Peer.ResumeAsync();
        using var next = await Peer.ConnectAsync();
        await AssertServesAsync(next);
    }

    // With a channel of its own the agent takes the connection with it; the error says what to do.
    private static void AssertTellsOfLoss(GuestAgentException error)
    {
        Assert.True(error.ErrorId is "ConnectionLost" or "SessionFaulted", error.ErrorId);
        Assert.Contains("Sync-QemuGuestAgent", error.RecommendedAction);
    }

    private static void GiveUp(bool isSo, CancellationTokenSource impatience)
    {
        if (isSo)
        {
            impatience.Cancel();
        }
    }

    // Timers are too coarse to hit every stage of a call.
    private static void Spin(TimeSpan time, Task outstanding)
    {
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < time && !outstanding.IsCompleted;)
        {
            Thread.SpinWait(10);
        }
    }

    // By its own answer; if not, it was cancelled.
    private static async Task<bool> IsAnsweredAsync(Task<long> call, long expected)
    {
        try
        {
            Assert.Equal(expected, await call);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
