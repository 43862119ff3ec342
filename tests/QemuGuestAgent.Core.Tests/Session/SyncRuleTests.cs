using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using static QemuGuestAgent.Core.Tests.Session.AgentScript;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>The rules of guest-sync-delimited, S1 to S4: what is sent when, and what counts as its reply.</summary>
public sealed class SyncRuleTests
{
    [Fact]
    public async Task S1_one_0xFF_goes_right_before_each_sync_request_and_nowhere_else()
    {
        using var dialogue = await Dialogue.StartAsync();
        var ping = await dialogue.TimeOutAsync("guest-ping");
        Assert.DoesNotContain((byte)0xFF, ping.Raw);

        var syncing = dialogue.Session.Sync();
        var sync = await dialogue.Peer.ReadAsync();
        var expected = $$$"""{{{Sentinel}}}{"execute":"guest-sync-delimited","arguments":{"id":{{{sync.SyncId}}}}}""";
        Assert.Equal(expected + "\n", sync.Text);
        dialogue.Peer.Write(Sync(sync));
        var probe = await dialogue.Peer.ReadAsync();
        Assert.DoesNotContain((byte)0xFF, probe.Raw);
        dialogue.Peer.Write(Return(probe, Info));
        await syncing.OrHang();
    }

    [Fact]
    public async Task S1_holds_for_the_plain_sync_of_an_agent_without_the_delimited_one()
    {
        var endpoint = new ScriptedPeer();
        var connecting = endpoint.Connect();
        var peer = await endpoint.AcceptAsync();
        peer.Write(StrayError + Error(await peer.ReadAsync(), "no such command", "CommandNotFound"));
        var plain = await peer.ReadAsync();
        Assert.Equal($$$"""{{{Sentinel}}}{"execute":"guest-sync","arguments":{"id":{{{plain.SyncId}}}}}""" + "\n", plain.Text);
        peer.Write(Sync(plain));
        await peer.AnswerProbeAsync(ids: false);

        using var session = await connecting.OrHang();
        Assert.Equal((plain.SyncId, false), (session.LastSync!.Id, session.LastSync.IsDelimited));
    }

    [Fact]
    public async Task S2_the_reply_behind_the_0xFF_with_the_id_ends_the_sync()
    {
        var endpoint = new ScriptedPeer();
        var connecting = endpoint.Connect();
        var peer = await endpoint.AcceptAsync();
        var sync = await peer.ReadAsync();
        peer.Write(Sentinel + Return(sync, $"{sync.SyncId}"));
        await peer.AnswerProbeAsync();

        using var session = await connecting.OrHang();
        Assert.Equal(GuestAgentSessionState.Ready, session.State);
        Assert.Equal((sync.SyncId, true, 0L, 0), (session.LastSync!.Id, session.LastSync.IsDelimited,
            session.LastSync.BytesDiscarded, session.LastSync.RepliesDiscarded));
    }

    [Fact]
    public async Task S3_a_sync_is_the_first_thing_sent_on_connecting()
    {
        var endpoint = new ScriptedPeer();
        var connecting = endpoint.Connect();
        var first = await (await endpoint.AcceptAsync()).ReadAsync();
        Assert.True(first.HasSentinel);
        Assert.Equal("guest-sync-delimited", first.Command);
        Assert.False(connecting.IsCompleted);
    }

    [Fact]
    public async Task S3_a_sync_follows_every_time_out()
    {
        using var dialogue = await Dialogue.StartAsync();
        for (var i = 0; i < 3; i++)
        {
            await dialogue.TimeOutAsync("guest-fstrim");
            await dialogue.SynchronisesByItselfAsync();
        }
    }

    [Fact]
    public async Task S3_a_sync_follows_a_sync_that_timed_out()
    {
        using var dialogue = await Dialogue.StartAsync();
        await dialogue.TimeOutAsync("guest-fstrim");
        for (var i = 0; i < 3; i++)
        {
            var asking = dialogue.Ask("guest-ping");
            Assert.True((await dialogue.Peer.ReadAsync()).IsSync);
            dialogue.Time.Advance(Dialogue.CallTime);
            await asking.FailsWith(ErrorCatalogue.AgentBusy);
        }

        await dialogue.SynchronisesByItselfAsync();
    }

    [Fact]
    public async Task S3_a_sync_follows_a_probe_that_timed_out()
    {
        using var dialogue = await Dialogue.StartAsync();
        var syncing = dialogue.Session.Sync();
        dialogue.Peer.Write(Sync(await dialogue.Peer.ReadAsync()));
        Assert.Equal("guest-info", (await dialogue.Peer.ReadAsync()).Command);
        dialogue.Time.Advance(Dialogue.CallTime);
        await syncing.FailsWith(ErrorCatalogue.AgentSilent);
        await dialogue.SynchronisesByItselfAsync();
    }

    [Fact]
    public async Task S3_a_sync_follows_a_cancel()
    {
        using var dialogue = await Dialogue.StartAsync();
        using var cancel = new CancellationTokenSource();
        var asking = dialogue.Session.AskUntil("guest-fstrim", cancel.Token);
        await dialogue.Peer.ReadAsync();
        await cancel.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => asking.OrHang());
        await dialogue.SynchronisesByItselfAsync();
    }

    [Theory]
    [InlineData("no JSON\n")]
    [InlineData("""{"return": {}}{"return": {}}""" + "\n")]
    [InlineData("""{"return": [1, 2""" + "\n")]
    [InlineData("""{"neither": 1}""" + "\n")]
    public async Task S3_a_sync_follows_a_framing_error(string line)
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Ask("guest-ping");
        await dialogue.Peer.ReadAsync();
        dialogue.Peer.Write(line);
        await asking.FailsWith(ErrorCatalogue.ReplyMalformed);
        await dialogue.SynchronisesByItselfAsync();
    }

    [Fact]
    public async Task S3_no_sync_goes_between_commands_that_are_in_step()
    {
        using var dialogue = await Dialogue.StartAsync();
        for (var i = 0; i < 5; i++)
        {
            await dialogue.IsInSyncAsync();
        }

        var asking = dialogue.Ask("guest-ping");
        dialogue.Peer.Write(Error(await dialogue.Peer.ReadAsync(), "an error is a reply too"));
        await asking.FailsWith(ErrorCatalogue.AgentError);
        await dialogue.IsInSyncAsync();
    }

    [Fact]
    public async Task S4_every_reply_is_ignored_until_the_one_with_the_id()
    {
        using var dialogue = await Dialogue.StartAsync();
        await dialogue.TimeOutAsync("guest-exec-status");

        var syncing = dialogue.Session.Sync();
        var sync = await dialogue.Peer.ReadAsync();
        var id = sync.SyncId;
        string[] stale =
        [
            """{"return": {}}""", """{"return": {"exited": true}, "id": 12}""", $$"""{"return": {{id - 1}}}""",
            $$"""{"return": "{{id}}"}""", $$"""{"return": {"id": {{id}} } }""", $$"""{"return": [{{id}}]}""",
            $$"""{"return": {{id}}.0}""", $$"""{"return": {}, "id": {{id}}}""",
            $$"""{"id": {{id}}}""", $$"""{"error": {"class": "GenericError", "desc": "{{id}}"} }""", $"{id}", "no JSON", "",
            $$"""{"execute": "guest-sync", "arguments": {"id": {{id}} } }""", $$"""{"error": {}, "return": {{id}}}""",
        ];
        dialogue.Peer.Write(string.Concat(stale.Select(line => line + "\n")));
        dialogue.Peer.Write(Sync(sync));
        await dialogue.Peer.AnswerProbeAsync();

        var result = await syncing.OrHang();
        Assert.Equal(id, result.Id);
        Assert.Equal(stale.Length + 1, result.RepliesDiscarded);
        Assert.Equal(stale.Sum(line => line.Length + 1) + StrayError.Length, result.BytesDiscarded);
        await dialogue.IsInSyncAsync();
    }

    [Fact]
    public async Task S4_the_answers_to_earlier_syncs_are_told_from_the_one_that_counts()
    {
        using var dialogue = await Dialogue.StartAsync();
        await dialogue.TimeOutAsync("guest-fstrim");
        var answers = "";
        for (var i = 0; i < 3; i++)
        {
            var silent = dialogue.Session.Sync();
            answers += Sync(await dialogue.Peer.ReadAsync());
            dialogue.Time.Advance(Dialogue.CallTime);
            await silent.FailsWith(ErrorCatalogue.AgentBusy);
        }

        var syncing = dialogue.Session.Sync();
        var last = await dialogue.Peer.ReadAsync();
        dialogue.Peer.Write("""{"return": {"paths": []}}""" + "\n" + answers + Sync(last));
        await dialogue.Peer.AnswerProbeAsync();
        Assert.Equal(last.SyncId, (await syncing.OrHang()).Id);
        await dialogue.IsInSyncAsync();
    }

    [Fact]
    public async Task S4_a_reply_with_the_id_counts_even_where_its_0xFF_was_lost()
    {
        // A serial line may drop the byte; the id is random, so that no other line can carry it.
        using var dialogue = await Dialogue.StartAsync();
        var syncing = dialogue.Session.Sync();
        var sync = await dialogue.Peer.ReadAsync();
        dialogue.Peer.Write(StrayError + Return(sync, $"{sync.SyncId}"));
        await dialogue.Peer.AnswerProbeAsync();
        Assert.Equal(sync.SyncId, (await syncing.OrHang()).Id);
    }
}
