using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using static QemuGuestAgent.Core.Tests.Session.AgentScript;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>Which line is taken for the reply to a command.</summary>
public sealed class MatchingTests
{
    [Fact]
    public async Task A_reply_with_another_id_is_never_taken()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Ask("guest-get-time");
        var request = await dialogue.Peer.ReadAsync();
        dialogue.Peer.Write($$"""{"return": 1, "id": {{request.Id - 1}}}""" + "\n");
        dialogue.Peer.Write($$"""{"return": 2}""" + "\n");
        dialogue.Peer.Write($$"""{"return": 3, "id": "{{request.Id}}"}""" + "\n");
        dialogue.Peer.Write("""{"error": {"class": "GenericError", "desc": "stale"}, "id": 5}""" + "\n");
        dialogue.Peer.Write(Return(request, "4"));
        Assert.Equal(4, (await asking.OrHang()).GetInt32());
        await dialogue.IsInSyncAsync();
    }

    [Fact]
    public async Task The_ids_of_requests_are_random_and_never_used_twice()
    {
        using var dialogue = await Dialogue.StartAsync();
        var ids = new HashSet<long>();
        for (var i = 0; i < 50; i++)
        {
            var asking = dialogue.Ask("guest-ping");
            var request = await dialogue.Peer.ReadAsync();
            Assert.True(request.Id >= 0 && ids.Add(request.Id.Value));
            dialogue.Peer.Write(Return(request, "{}"));
            await asking.OrHang();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_error_is_that_of_the_command(bool ids)
    {
        using var dialogue = await Dialogue.StartAsync(ids);
        var asking = dialogue.Ask("guest-file-open");
        dialogue.Peer.Write(Error(await dialogue.Peer.ReadAsync(), "failed to open: \\u001b[2J"));
        var error = await asking.FailsWith(ErrorCatalogue.AgentError);
        Assert.Equal("GenericError", error.AgentErrorClass);
        Assert.Contains("failed to open: \\u001B[2J", error.Message, StringComparison.Ordinal);
        if (ids)
        {
            await dialogue.IsInSyncAsync();
        }
        else
        {
            // One bad request may cost an agent without ids several error lines.
            await dialogue.SynchronisesByItselfAsync(RefusesId() + RefusesId(), ids: false);
        }
    }

    [Theory]
    [InlineData("guest-unknown", "CommandNotFound")]
    [InlineData("guest-exec", "CommandDisabled")]
    public async Task CommandNotFound_is_told_from_disabled_by_what_the_agent_lists(string command, string expected)
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Ask(command);
        dialogue.Peer.Write(Error(await dialogue.Peer.ReadAsync(), "any text", "CommandNotFound"));
        await asking.FailsWith(ErrorCatalogue.All.Single(e => e.Id == expected));
        await dialogue.IsInSyncAsync();
    }

    [Fact]
    public async Task A_command_that_is_not_there_is_met_with_those_of_similar_name()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Ask("guest-file");
        dialogue.Peer.Write(Error(await dialogue.Peer.ReadAsync(), "any text", "CommandNotFound"));
        var error = await asking.FailsWith(ErrorCatalogue.CommandNotFound);
        Assert.EndsWith("Did you mean 'guest-file-open' or 'guest-file-close'?", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_error_without_the_id_shows_that_the_request_was_lost()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Ask("guest-ping");
        await dialogue.Peer.ReadAsync();
        dialogue.Peer.Write("""{"error": {"class": "GenericError", "desc": "JSON parse error, expecting value"}}""" + "\n");
        var error = await asking.FailsWith(ErrorCatalogue.RequestLost);
        Assert.Contains("expecting value", error.Message, StringComparison.Ordinal);
        await dialogue.SynchronisesByItselfAsync(StrayError + StrayError);
    }

    [Fact]
    public async Task A_fragment_glued_to_the_reply_is_no_reply()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Ask("guest-get-time");
        var request = await dialogue.Peer.ReadAsync();
        dialogue.Peer.Write("""{"return": {"count": 48, "buf-b64": "c29tZSB""" + Return(request, "1"));
        await asking.FailsWith(ErrorCatalogue.ReplyMalformed);
        await dialogue.SynchronisesByItselfAsync();
    }

    [Fact]
    public async Task Replies_and_blank_lines_glued_into_one_write_are_told_apart()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Ask("guest-get-time");
        var request = await dialogue.Peer.ReadAsync();
        dialogue.Peer.Write(
            "\n\r\n \n" + """{"return": 1, "id": 1}""" + "\n" + Return(request, "2") + """{"return": 3, "id": 3}""" + "\n\n");
        Assert.Equal(2, (await asking.OrHang()).GetInt32());
        await dialogue.IsInSyncAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_line_that_echoes_requests_works(bool ids)
    {
        var endpoint = new ScriptedPeer();
        var connecting = endpoint.Connect();
        var peer = await endpoint.AcceptAsync();
        var serving = ServeAsync(peer, ids);
        using (var session = await connecting.OrHang())
        {
            Assert.Equal(ids, session.EchoesRequestIds);
            for (var i = 0; i < 5; i++)
            {
                Assert.Equal("guest-get-time", (await session.Ask("guest-get-time").OrHang()).GetString());
                await session.Sync().OrHang();
            }
        }

        await serving.OrHang();

        static async Task ServeAsync(PeerConnection peer, bool ids)
        {
            while (await peer.TryReadAsync() is { } request)
            {
                peer.Write(request.Raw);
                peer.Write(
                    request.IsSync ? Sync(request)
                    : request.Id is not null && !ids ? RefusesId()
                    : Return(request, request.Command == "guest-info" ? Info : $"\"{request.Command}\""));
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reply_that_is_too_complex_costs_one_command_only(bool ids)
    {
        var options = new GuestAgentSessionOptions { MaxReplyDepth = 10, MaxReplyValues = 100 };
        using var dialogue = await Dialogue.StartAsync(ids, options);
        foreach (var value in new[] { new string('[', 20) + new string(']', 20), $"[{string.Join(',', new int[200])}]" })
        {
            var asking = dialogue.Ask("guest-odd");
            await dialogue.Peer.AnswerAsync("guest-odd", value);
            await asking.FailsWith(ErrorCatalogue.ReplyTooComplex);
            await dialogue.SynchronisesByItselfAsync(ids: ids);
        }
    }

    [Fact]
    public async Task A_reply_that_is_too_complex_and_somebody_else_s_is_passed_over()
    {
        using var dialogue = await Dialogue.StartAsync(options: new GuestAgentSessionOptions { MaxReplyValues = 100 });
        var asking = dialogue.Ask("guest-get-time");
        var request = await dialogue.Peer.ReadAsync();
        dialogue.Peer.Write($$"""{"id": 5, "return": [{{string.Join(',', new int[200])}}]}""" + "\n" + Return(request, "1"));
        Assert.Equal(1, (await asking.OrHang()).GetInt32());
    }

    [Theory]
    [InlineData("")]
    [InlineData("guest ping")]
    [InlineData("guest-ping\n")]
    [InlineData("\"")]
    public void A_name_that_no_command_can_have_is_refused(string command) =>
        Assert.Throws<GuestAgentException>(() => new GuestAgentRequest(command)).ShouldBe(ErrorCatalogue.CommandNameInvalid);
}
