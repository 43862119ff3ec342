using System.Text.Json;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using static QemuGuestAgent.Core.Tests.Session.AgentScript;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>Commands whose success is no reply: a ping behind them, silence or the end of the line shows it.</summary>
public sealed class NoReplyCommandTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_answer_to_the_ping_behind_it_shows_success(bool ids)
    {
        using var dialogue = await Dialogue.StartAsync(ids);
        var (asking, _, ping) = await ShutDownAsync(dialogue);
        dialogue.Peer.Write(Return(ping, "{}"));
        Assert.Equal(JsonValueKind.Undefined, (await asking.OrHang()).ValueKind);
        await dialogue.SynchronisesByItselfAsync(ids: ids);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_error_is_an_error(bool ids)
    {
        using var dialogue = await Dialogue.StartAsync(ids);
        var (asking, shutdown, ping) = await ShutDownAsync(dialogue);
        dialogue.Peer.Write(Error(shutdown, "no permission") + Return(ping, "{}"));
        await asking.FailsWith(ErrorCatalogue.AgentError);
        await dialogue.SynchronisesByItselfAsync(ids: ids);
    }

    [Fact]
    public async Task Silence_shows_success_once_it_has_lasted()
    {
        var options = new GuestAgentSessionOptions();
        using var dialogue = await Dialogue.StartAsync(options: options);
        var (asking, _, _) = await ShutDownAsync(dialogue);
        await dialogue.Time.PassAsync(options.NoReplyWait);
        Assert.Equal(JsonValueKind.Undefined, (await asking.OrHang()).ValueKind);
        await dialogue.SynchronisesByItselfAsync();
    }

    [Fact]
    public async Task The_time_of_the_call_still_holds()
    {
        var options = new GuestAgentSessionOptions { NoReplyWait = TimeSpan.FromHours(1) };
        using var dialogue = await Dialogue.StartAsync(options: options);
        var (asking, _, _) = await ShutDownAsync(dialogue);
        dialogue.Time.Advance(Dialogue.CallTime);
        await asking.FailsWith(ErrorCatalogue.CommandTimedOut);
        await dialogue.SynchronisesByItselfAsync();
    }

    [Fact]
    public async Task The_caller_may_give_up()
    {
        using var dialogue = await Dialogue.StartAsync();
        using var cancel = new CancellationTokenSource();
        var asking = dialogue.Session.AskUntil("guest-shutdown", cancel.Token);
        await dialogue.Peer.AnswerSyncAsync();
        await dialogue.Peer.ReadAsync();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking.OrHang());
        await dialogue.Peer.ReadAsync();
        await dialogue.SynchronisesByItselfAsync();
    }

    [Fact]
    public async Task The_end_of_the_connection_shows_success_and_the_next_command_finds_it_out()
    {
        using var dialogue = await Dialogue.StartAsync();
        var (asking, _, _) = await ShutDownAsync(dialogue);
        dialogue.Peer.Close();
        Assert.Equal(JsonValueKind.Undefined, (await asking.OrHang()).ValueKind);
        await dialogue.Ask("guest-ping").FailsWith(ErrorCatalogue.ConnectionLost);
    }

    [Fact]
    public async Task An_agent_that_was_gone_before_is_no_success()
    {
        using var dialogue = await Dialogue.StartAsync();
        dialogue.Peer.Close();
        await dialogue.Ask("guest-shutdown").FailsWith(ErrorCatalogue.ConnectionLost);
    }

    [Fact]
    public async Task A_line_that_is_no_reply_is_an_error_here_too()
    {
        using var dialogue = await Dialogue.StartAsync();
        var (asking, _, _) = await ShutDownAsync(dialogue);
        dialogue.Peer.Write("glued {\n");
        await asking.FailsWith(ErrorCatalogue.ReplyMalformed);
        await dialogue.SynchronisesByItselfAsync();
    }

    [Theory]
    [InlineData("guest-shutdown", true)]
    [InlineData("guest-suspend-ram", true)]
    [InlineData("guest-suspend-disk", true)]
    [InlineData("guest-suspend-hybrid", true)]
    [InlineData("guest-ping", false)]
    public async Task Where_guest_info_is_refused_the_usual_ones_are_known(string command, bool isNoReply)
    {
        var endpoint = new ScriptedPeer();
        var connecting = endpoint.Connect();
        var peer = await endpoint.AcceptAsync();
        peer.Write(Sync(await peer.ReadAsync()));
        peer.Write(Error(await peer.ReadAsync(), "disabled", "CommandNotFound"));
        var session = await connecting.OrHang();
        Assert.Null(session.Agent);

        var asking = session.Ask(command);
        if (isNoReply)
        {
            peer.Write(Sync(await peer.ReadAsync()));
            peer.Write(Error(await peer.ReadAsync(), "disabled", "CommandNotFound"));
        }

        var request = await peer.ReadAsync();
        Assert.Equal(command, request.Command);
        var last = isNoReply ? await peer.ReadAsync() : request;
        Assert.Equal("guest-ping", last.Command);
        peer.Write(Return(last, "{}"));
        await asking.OrHang();
        session.Dispose();
        Assert.Equal("", await peer.ReadToEndAsync());
    }

    private static async Task<(Task<JsonElement> SessionQueries, PeerRequest Shutdown, PeerRequest Ping)> ShutDownAsync(Dialogue dialogue)
    {
        var asking = dialogue.Ask("guest-shutdown");
        await dialogue.Peer.AnswerSyncAsync(dialogue.Session.EchoesRequestIds);
        var shutdown = await dialogue.Peer.ReadAsync();
        Assert.Equal("guest-shutdown", shutdown.Command);
        var ping = await dialogue.Peer.ReadAsync();
        Assert.Equal("guest-ping", ping.Command);
        return (asking, shutdown, ping);
    }
}
