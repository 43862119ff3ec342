using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Tests.Contract;

public abstract partial class AgentContract
{
    [Fact]
    public async Task Connecting_synchronises_with_the_agent()
    {
        using var session = await Peer.ConnectAsync();

        Assert.Equal(GuestAgentSessionState.Ready, session.State);
        Assert.True(session.LastSync!.IsDelimited);

        // Nothing but the agent's complaint about the byte that flushed its parser.
        Assert.Equal(1, session.LastSync.RepliesDiscarded);
        Assert.InRange(session.LastSync.BytesDiscarded, 50, 150);
        await AssertServesAsync(session);
    }

    [Fact]
    public async Task Connecting_finds_out_what_the_agent_is()
    {
        using var session = await Peer.ConnectAsync();

        Assert.True(session.EchoesRequestIds);
        Assert.NotEmpty(session.Agent!.Version);
        Assert.True(session.Agent.Commands["guest-ping"].Enabled);
        Assert.True(session.Agent.Commands["guest-ping"].SuccessResponse);
        Assert.False(session.Agent.Commands["guest-shutdown"].SuccessResponse);
        Assert.False(session.Agent.Commands[AgentPeer.BlockedCommand].Enabled);
    }

    [Fact]
    public async Task Guest_info_lists_the_commands()
    {
        using var session = await Peer.ConnectAsync();

        var info = await InvokeAsync(session, "guest-info");

        Assert.Equal(session.Agent!.Version, info.GetProperty("version").GetString());
        var names = info.GetProperty("supported_commands").EnumerateArray().Select(c => c.GetProperty("name").GetString());
        Assert.Superset(
            new HashSet<string?> { "guest-ping", "guest-sync", "guest-sync-delimited", "guest-info" }, names.ToHashSet());
    }

    [Fact]
    public async Task A_session_can_be_synchronised_again()
    {
        using var session = await Peer.ConnectAsync();
        var first = session.LastSync!;

        var second = await session.SynchronizeAsync(cancellationToken: TestEnd);

        Assert.NotEqual(first.Id, second.Id);
        Assert.Equal(first.RepliesDiscarded, second.RepliesDiscarded);
        await AssertServesAsync(session);
    }

    [Fact]
    public async Task Clients_are_served_one_after_the_other()
    {
        for (var client = 0; client < 5; client++)
        {
            using var session = await Peer.ConnectAsync();
            await AssertServesAsync(session);
        }
    }

    [Fact]
    public async Task A_second_client_hears_nothing_until_the_first_has_left()
    {
        Assert.SkipUnless(Peer.ServesOneClient, "A serial port gives what comes to whoever reads first.");
        await using (var first = await Peer.ConnectRawAsync())
        {
            await first.SendAsync("""{"execute":"guest-ping"}""" + "\n");
            await first.ReadLineAsync();
            await AssertFailsAsync("AgentSilent", () => Peer.ConnectAsync(options: Briefly));
        }

        using var next = await Peer.ConnectAsync();
        await AssertServesAsync(next);
    }

    [Fact]
    public async Task A_second_session_does_not_disturb_the_first_and_is_served_after_it()
    {
        using (var first = await Peer.ConnectAsync())
        {
            await AssertFailsAsync(Peer.Endpoint.LockName is null ? "AgentSilent" : "EndpointInUse", () => Peer.ConnectAsync(options: Briefly));
            await AssertServesAsync(first);
        }

        using var next = await Peer.ConnectAsync();
        await AssertServesAsync(next);
    }

    [Fact]
    public async Task Only_the_reply_to_the_delimited_sync_is_preceded_by_0xFF()
    {
        await using var client = await Peer.ConnectRawAsync();

        await client.SendAsync("""{"execute":"guest-sync-delimited","arguments":{"id":5}}""" + "\n");
        await client.SendAsync("""{"execute":"guest-sync","arguments":{"id":6}}""" + "\n");
        await client.SendAsync("""{"execute":"guest-ping","id":"7"}""" + "\n");

        Assert.Equal("""ÿ{"return": 5}""", await client.ReadLineAsync());
        Assert.Equal("""{"return": 6}""", await client.ReadLineAsync());
        AssertJson("""{"return": {}, "id": "7"}""", await client.ReadLineAsync());
    }

    [Fact]
    public async Task Requests_written_one_behind_the_other_are_answered_in_their_order()
    {
        await using var client = await Peer.ConnectRawAsync();

        // Of more than 4096 bytes at once an agent on a serial port loses answers: its GIOChannel wants to seek (7.2 and 10.0).
        await client.SendAsync(string.Concat(Enumerable.Range(0, 80).Select(
            number => $$$"""{"execute":"guest-sync","arguments":{"id":{{{number}}}}}""")));

        for (var number = 0; number < 80; number++)
        {
            Assert.Equal($$"""{"return": {{number}}}""", await client.ReadLineAsync());
        }
    }

    [Fact]
    public async Task A_stray_0xFF_is_answered_with_an_error_of_its_own()
    {
        await using var client = await Peer.ConnectRawAsync();

        await client.SendAsync("\u00FF" + """{"execute":"guest-ping"}""" + "\n");

        Assert.Contains("GenericError", await client.ReadLineAsync());
        Assert.Equal("""{"return": {}}""", await client.ReadLineAsync());
    }

    [Fact]
    public async Task A_line_feed_does_not_end_an_unfinished_request()
    {
        await using var client = await Peer.ConnectRawAsync();

        await client.SendAsync("""{"execute":""" + "\n");
        await client.SendAsync("""{"execute":"guest-sync","arguments":{"id":8}}""" + "\n");
        await client.SendAsync("\u00FF" + """{"execute":"guest-sync-delimited","arguments":{"id":9}}""" + "\n");

        var refusals = 0;
        string line;
        while ((line = await client.ReadLineAsync()) != """ÿ{"return": 9}""")
        {
            Assert.Contains("GenericError", line);
            refusals++;
        }

        Assert.NotEqual(0, refusals);
    }

    [Theory]
    [InlineData("9223372036854775808")]
    [InlineData("-9223372036854775809")]
    [InlineData("1.0")]
    [InlineData("\"7\"")]
    [InlineData("null")]
    public async Task The_agent_refuses_a_sync_id_that_is_no_int64(string id)
    {
        await using var client = await Peer.ConnectRawAsync();

        await client.SendAsync($$"""{"execute":"guest-sync","arguments":{"id":{{id}}},"id":3}""" + "\n");
        await client.SendAsync("""{"execute":"guest-sync","arguments":{"id":9223372036854775807}}""" + "\n");

        Assert.Contains("GenericError", await client.ReadLineAsync());
        Assert.Equal("""{"return": 9223372036854775807}""", await client.ReadLineAsync());
    }
}
