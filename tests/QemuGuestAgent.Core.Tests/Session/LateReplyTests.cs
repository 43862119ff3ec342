using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using static QemuGuestAgent.Core.Tests.Session.AgentScript;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>A reply that can be had only once reaches its request, even after the caller gave up.</summary>
public sealed class LateReplyTests
{
    [Fact]
    public async Task A_late_reply_reaches_its_request_at_the_next_sync()
    {
        using var dialogue = await Dialogue.StartAsync();
        var request = Keeping();
        var late = Return(await dialogue.TimeOutAsync(request), """{"exited": true, "out-data": "aGVsbG8="}""");
        Assert.Null(request.LateReply);
        await dialogue.SynchronisesByItselfAsync(late);
        Assert.Equal("aGVsbG8=", request.LateReply!.Result.GetProperty("out-data").GetString());
        Assert.Null(request.LateReply.Error);
    }

    [Fact]
    public async Task A_late_reply_may_be_an_error()
    {
        using var dialogue = await Dialogue.StartAsync();
        var request = Keeping();
        var late = Error(await dialogue.TimeOutAsync(request), "PID 5 does not exist");
        await dialogue.SynchronisesByItselfAsync(late);
        request.LateReply!.Error!.ShouldBe(ErrorCatalogue.AgentError);
    }

    [Fact]
    public async Task A_late_reply_is_kept_up_to_the_bound_of_any_reply()
    {
        using var dialogue = await Dialogue.StartAsync(options: new GuestAgentSessionOptions { MaxReplyBytes = 1 << 20 });
        var (large, huge) = (Keeping(), Keeping());
        var late = Return(await dialogue.TimeOutAsync(large), $"\"{new string('A', 1_000_000)}\"");
        var syncing = dialogue.Session.Sync();
        dialogue.Peer.Write(late);
        await dialogue.Peer.AnswerSyncAsync();
        await syncing.OrHang();
        Assert.Equal(1_000_000, large.LateReply!.Result.GetString()!.Length);

        late = Return(await dialogue.TimeOutAsync(huge), $"\"{new string('A', 2_000_000)}\"");
        await dialogue.SynchronisesByItselfAsync(late);
        Assert.Null(huge.LateReply);
    }

    [Fact]
    public async Task Late_replies_to_several_requests_reach_each_its_own()
    {
        using var dialogue = await Dialogue.StartAsync();
        var requests = new List<GuestAgentRequest>();
        var late = "";
        for (var i = 0; i < 3; i++)
        {
            requests.Add(Keeping());
            var asking = dialogue.Session.Ask(requests[i]);
            if (i > 0)
            {
                // The agent is busy: it reads the sync and answers it only after the earlier commands.
                late += Sync(await dialogue.Peer.ReadAsync());
                dialogue.Peer.Write(late);
                await dialogue.Peer.AnswerProbeAsync();
            }

            late = Return(await dialogue.Peer.ReadAsync(), $"{i}");
            dialogue.Time.Advance(Dialogue.CallTime);
            await asking.FailsWith(ErrorCatalogue.CommandTimedOut);
        }

        await dialogue.SynchronisesByItselfAsync(late);
        Assert.Equal([0, 1, 2], requests.Select(r => r.LateReply!.Result.GetInt32()));
    }

    [Fact]
    public async Task A_late_reply_that_comes_behind_the_sync_is_still_delivered()
    {
        using var dialogue = await Dialogue.StartAsync();
        var request = Keeping();
        var late = Return(await dialogue.TimeOutAsync(request), "1");
        await dialogue.SynchronisesByItselfAsync();
        var asking = dialogue.Ask("guest-get-time");
        var next = await dialogue.Peer.ReadAsync();
        dialogue.Peer.Write(late + Return(next, "2"));
        Assert.Equal(2, (await asking.OrHang()).GetInt32());
        Assert.Equal(1, request.LateReply!.Result.GetInt32());
    }

    [Fact]
    public async Task A_cancelled_command_s_reply_is_delivered_as_well()
    {
        using var dialogue = await Dialogue.StartAsync();
        using var cancel = new CancellationTokenSource();
        var request = Keeping();
        var asking = dialogue.Session.AskUntil(request, cancel.Token);
        var late = Return(await dialogue.Peer.ReadAsync(), "1");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking.OrHang());
        await dialogue.SynchronisesByItselfAsync(late);
        Assert.Equal(1, request.LateReply!.Result.GetInt32());
    }

    [Fact]
    public async Task A_late_reply_that_nobody_wants_is_dropped()
    {
        using var dialogue = await Dialogue.StartAsync();
        var request = new GuestAgentRequest("guest-exec-status");
        await dialogue.SynchronisesByItselfAsync(Return(await dialogue.TimeOutAsync(request), "1"));
        Assert.Null(request.LateReply);
    }

    [Fact]
    public async Task Without_ids_no_late_reply_can_be_told_from_others()
    {
        using var dialogue = await Dialogue.StartAsync(ids: false);
        var request = Keeping();
        await dialogue.SynchronisesByItselfAsync(Return(await dialogue.TimeOutAsync(request), "1"), ids: false);
        Assert.Null(request.LateReply);
    }

    [Fact]
    public async Task A_reply_with_another_id_is_not_delivered()
    {
        using var dialogue = await Dialogue.StartAsync();
        var request = Keeping();
        var late = Return(await dialogue.TimeOutAsync(request), "1");
        await dialogue.SynchronisesByItselfAsync("""{"return": 2, "id": 2}""" + "\n" + """{"return": 3}""" + "\n");
        Assert.Null(request.LateReply);
        var syncing = dialogue.Session.Sync();
        dialogue.Peer.Write(late);
        await dialogue.Peer.AnswerSyncAsync();
        await syncing.OrHang();
        Assert.Equal(1, request.LateReply!.Result.GetInt32());
    }

    [Fact]
    public async Task Only_so_many_late_replies_are_waited_for()
    {
        using var dialogue = await Dialogue.StartAsync();
        var (requests, replies) = (new List<GuestAgentRequest>(), "");
        for (var i = 0; i < 70; i++)
        {
            requests.Add(Keeping());
            var asking = dialogue.Session.Ask(requests[i]);
            if (i > 0)
            {
                await dialogue.Peer.AnswerSyncAsync();
            }

            replies += Return(await dialogue.Peer.ReadAsync(), $"{i}");
            dialogue.Time.Advance(Dialogue.CallTime);
            await asking.FailsWith(ErrorCatalogue.CommandTimedOut);
        }

        await dialogue.SynchronisesByItselfAsync(replies);
        Assert.All(requests.Take(6), r => Assert.Null(r.LateReply));
        Assert.All(requests.Skip(6), r => Assert.Equal(requests.IndexOf(r), r.LateReply!.Result.GetInt32()));
    }

    private static GuestAgentRequest Keeping() => new("guest-exec-status") { KeepsLateReply = true };
}
