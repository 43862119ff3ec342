using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using static QemuGuestAgent.Core.Tests.Session.AgentScript;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>No time-out and no cancel costs the session, and each says what happened.</summary>
public sealed class TimeOutTests
{
    [Fact]
    public async Task A_command_that_times_out_says_so_and_the_next_one_works()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Ask("guest-fstrim");
        var request = await dialogue.Peer.ReadAsync();
        dialogue.Time.Advance(Dialogue.CallTime);
        var error = await asking.FailsWith(ErrorCatalogue.CommandTimedOut);
        Assert.Contains("'guest-fstrim'", error.Message, StringComparison.Ordinal);
        Assert.Contains(" 60 seconds", error.Message, StringComparison.Ordinal);
        await dialogue.SynchronisesByItselfAsync(stale: Return(request, "\"late\""));
    }

    [Fact]
    public async Task A_command_is_given_its_time_to_the_last_tick()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Ask("guest-fstrim");
        var request = await dialogue.Peer.ReadAsync();
        dialogue.Time.Advance(Dialogue.CallTime - TimeSpan.FromMilliseconds(1));
        dialogue.Peer.Write(Return(request, "1"));
        Assert.Equal(1, (await asking.OrHang()).GetInt32());
        await dialogue.IsInSyncAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public async Task No_limit_is_none(int milliseconds)
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Session.Ask("guest-fstrim", new CallOptions { Timeout = TimeSpan.FromMilliseconds(milliseconds) });
        var request = await dialogue.Peer.ReadAsync();
        dialogue.Time.Advance(TimeSpan.FromDays(40));
        dialogue.Peer.Write(Return(request, "1"));
        Assert.Equal(1, (await asking.OrHang()).GetInt32());
    }

    [Fact]
    public async Task A_reply_that_is_half_here_at_the_time_out_is_not_taken_for_the_next_one()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Ask("guest-get-time");
        var reply = Return(await dialogue.Peer.ReadAsync(), "1");
        dialogue.Peer.Write(reply[..10]);
        dialogue.Peer.Then(() => dialogue.Time.Advance(Dialogue.CallTime));
        await asking.FailsWith(ErrorCatalogue.CommandTimedOut);
        await dialogue.SynchronisesByItselfAsync(stale: reply[10..]);
    }

    [Fact]
    public async Task The_caller_s_cancel_comes_out_with_the_caller_s_token_and_the_session_stays_usable()
    {
        using var dialogue = await Dialogue.StartAsync();
        for (var i = 0; i < 3; i++)
        {
            using var cancel = new CancellationTokenSource();
            var asking = dialogue.Session.AskUntil("guest-fstrim", cancel.Token);
            var request = await dialogue.Peer.ReadAsync();
            await cancel.CancelAsync();
            var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking.OrHang());
            Assert.Equal(cancel.Token, error.CancellationToken);
            await dialogue.SynchronisesByItselfAsync(stale: Return(request, "\"late\""));
        }
    }

    [Fact]
    public async Task A_caller_that_has_given_up_before_sends_nothing_and_harms_nothing()
    {
        using var dialogue = await Dialogue.StartAsync();
        var given = new CancellationToken(canceled: true);
        var asking = dialogue.Session.AskUntil("guest-fstrim", given);
        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking.OrHang());
        Assert.Equal(given, error.CancellationToken);
        await dialogue.IsInSyncAsync();
    }

    [Fact]
    public async Task A_cancel_ends_a_sync_and_the_next_command_makes_a_new_one()
    {
        using var dialogue = await Dialogue.StartAsync();
        using var cancel = new CancellationTokenSource();
        var syncing = dialogue.Session.SynchronizeAsync(null, cancel.Token);
        var sync = await dialogue.Peer.ReadAsync();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => syncing.OrHang());
        await dialogue.SynchronisesByItselfAsync(stale: Sync(sync));
    }

    [Fact]
    public async Task An_agent_that_never_answered_is_silent()
    {
        var (endpoint, time) = (new ScriptedPeer(), new WatchedTime());
        var connecting = endpoint.Connect(new GuestAgentSessionOptions { TimeProvider = time, SyncRepeatWait = TimeSpan.Zero });
        await (await endpoint.AcceptAsync()).ReadAsync();
        time.Advance(Dialogue.CallTime);
        await connecting.FailsWith(ErrorCatalogue.AgentSilent);
    }

    [Fact]
    public async Task An_agent_that_was_given_a_command_and_does_not_answer_since_is_busy_with_it()
    {
        using var dialogue = await Dialogue.StartAsync();
        await dialogue.TimeOutAsync("guest-fstrim");
        foreach (var seconds in new[] { 120, 180 })
        {
            var asking = dialogue.Ask("guest-ping");
            await dialogue.Peer.ReadAsync();
            dialogue.Time.Advance(Dialogue.CallTime);
            var error = await asking.FailsWith(ErrorCatalogue.AgentBusy);
            Assert.Contains($"'guest-fstrim' {seconds} seconds ago", error.Message, StringComparison.Ordinal);
        }

        // Once it has answered a sync, that is over.
        await dialogue.SynchronisesByItselfAsync();
        var syncing = dialogue.Session.Sync();
        await dialogue.Peer.ReadAsync();
        dialogue.Time.Advance(Dialogue.CallTime);
        await syncing.FailsWith(ErrorCatalogue.AgentSilent);
    }

    [Fact]
    public async Task A_line_cut_off_by_an_agent_that_died_does_not_make_the_channel_another_service()
    {
        using var dialogue = await Dialogue.StartAsync();
        await dialogue.TimeOutAsync("guest-file-read");
        var asking = dialogue.Ask("guest-ping");
        await dialogue.Peer.ReadAsync();
        dialogue.Peer.Write("""{"return": {"count": 48, "buf-b64": "c29tZSB""" + "\n");
        dialogue.Peer.Then(() => dialogue.Time.Advance(Dialogue.CallTime));
        await asking.FailsWith(ErrorCatalogue.AgentBusy);
        await dialogue.SynchronisesByItselfAsync();
    }

    [Fact]
    public async Task An_endpoint_that_does_not_open_in_time_says_so()
    {
        var time = new WatchedTime();
        var endpoint = new ScriptedPeer { Opening = token => Task.Delay(Timeout.InfiniteTimeSpan, token) };
        var connecting = endpoint.Connect(new GuestAgentSessionOptions { TimeProvider = time, SyncRepeatWait = TimeSpan.Zero });
        time.Advance(Dialogue.CallTime);
        await connecting.FailsWith(ErrorCatalogue.EndpointTimedOut);
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("""{"execute": "guest-ping"}""" + "\n")]
    [InlineData("""{"return": {}, "id": 5}""" + "\n")]
    public async Task A_peer_that_never_stops_sending_cannot_keep_the_time_out_away(string line)
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Ask("guest-ping");
        await dialogue.Peer.ReadAsync();
        dialogue.Peer.Write(Flood());
        dialogue.Peer.Close();
        await asking.FailsWith(ErrorCatalogue.CommandTimedOut);

        // The time is over after the third part; a session that does not look at it reads on to the end.
        IEnumerable<ReadOnlyMemory<byte>> Flood()
        {
            for (var i = 0; i < 1000; i++)
            {
                if (i == 3)
                {
                    dialogue.Time.Advance(Dialogue.CallTime);
                }

                yield return System.Text.Encoding.ASCII.GetBytes(line);
            }
        }
    }
}
