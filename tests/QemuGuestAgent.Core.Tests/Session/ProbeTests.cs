using System.Text.Json.Nodes;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Posix;
using QemuGuestAgent.Core.Guests.Windows;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.EmbeddedAgent;
using static QemuGuestAgent.Core.Tests.Session.AgentScript;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>The probe behind the sync: whether ids are echoed, and what the agent knows.</summary>
public sealed class ProbeTests
{
    [Fact]
    public async Task An_agent_that_echoes_the_id_is_known_by_it()
    {
        using var dialogue = await Dialogue.StartAsync();
        var agent = dialogue.Session.Agent!;
        Assert.Equal("11.1.0", agent.Version);
        Assert.Equal(5, agent.Commands.Count);
        Assert.Equal((true, false), (agent.Commands["guest-shutdown"].Enabled, agent.Commands["guest-shutdown"].SuccessResponse));
        Assert.Equal((false, true), (agent.Commands["guest-exec"].Enabled, agent.Commands["guest-exec"].SuccessResponse));
    }

    [Fact]
    public async Task An_agent_that_refuses_the_id_is_asked_without_and_never_given_one_again()
    {
        using var dialogue = await Dialogue.StartAsync(ids: false);
        Assert.Equal("11.1.0", dialogue.Session.Agent!.Version);
        var asking = dialogue.Ask("guest-ping");
        var request = await dialogue.Peer.ReadAsync();
        Assert.Equal("""{"execute":"guest-ping"}""" + "\n", request.Text);
        dialogue.Peer.Write(Return(request, "{}"));
        await asking.OrHang();
    }

    [Fact]
    public async Task An_agent_that_ignores_the_id_answers_at_once_and_is_never_given_one_again()
    {
        var (session, peer) = await ConnectAsync("""{"return": {"version": "0.1", "supported_commands": []}}""");
        Assert.False(session.EchoesRequestIds);
        Assert.Equal("0.1", session.Agent!.Version);
        var asking = session.Ask("guest-get-time");
        var request = await peer.ReadAsync();
        Assert.Null(request.Id);
        peer.Write(Return(request, "1"));
        Assert.Equal(1, (await asking.OrHang()).GetInt32());
    }

    [Fact]
    public async Task An_agent_whose_policy_refuses_guest_info_is_an_agent_all_the_same()
    {
        var (session, _) = await ConnectAsync("""{"error": {"class": "CommandNotFound", "desc": "disabled"}, "id": ID}""");
        Assert.True(session.EchoesRequestIds);
        Assert.Null(session.Agent);
    }

    [Fact]
    public async Task What_is_no_reply_to_the_probe_is_passed_over()
    {
        var (session, _) = await ConnectAsync(
            "\n", """{"execute": "guest-info"}""", """{"return": {}, "id": 1}""",
            """{"return": {"version": "8.2", "supported_commands": []}, "id": ID}""");
        Assert.True(session.EchoesRequestIds);
        Assert.Equal("8.2", session.Agent!.Version);
    }

    [Theory]
    [InlineData("glued {")]
    [InlineData("""{"return": {"version": "8.2"}, "id": ID}}""")]
    public async Task A_broken_answer_to_the_probe_is_not_waited_out(string line)
    {
        var endpoint = new ScriptedPeer();
        var connecting = endpoint.Connect();
        await AnswerAsync(endpoint, [line]);
        await connecting.FailsWith(ErrorCatalogue.ReplyMalformed);
    }

    [Theory]
    [InlineData("5")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("""{"supported_commands": [{"name": 5}]}""")]
    [InlineData("""{"supported_commands": [{"name": "\ud800"}]}""")]
    [InlineData("""{"version": "\udc00"}""")]
    public async Task An_answer_of_another_shape_is_an_error_of_the_catalogue(string info)
    {
        var endpoint = new ScriptedPeer();
        var connecting = endpoint.Connect();
        await AnswerAsync(endpoint, [$$"""{"return": {{info}}, "id": ID}"""]);
        await connecting.FailsWith(ErrorCatalogue.ReplyUnexpected);
    }

    [Theory]
    [InlineData("""{}""", "unknown", 0)]
    [InlineData("""{"version": 5, "supported_commands": {}}""", "5", 0)]
    [InlineData("""{"version": "1", "supported_commands": [1, null, {}, {"name": "a"}, {"name": "a"}]}""", "1", 1)]
    [InlineData("""{"other": {"name": "x"}, "supported_commands": [[{"name": "b"}], {"name": null}, {"name": "a", "enabled": {"name": "c"}, "more": [{"name": "d"}]}], "version": ["6"]}""", "[\"6\"]", 1)]
    public async Task What_other_agents_leave_out_is_taken_as_usual(string info, string version, int commands)
    {
        var (session, _) = await ConnectAsync($$"""{"return": {{info}}, "id": ID}""");
        Assert.Equal((version, commands), (session.Agent!.Version, session.Agent.Commands.Count));
    }

    [Fact]
    public async Task Each_sync_probes_anew_since_another_agent_may_run_by_then()
    {
        using var dialogue = await Dialogue.StartAsync();
        var syncing = dialogue.Session.Sync();
        await dialogue.Peer.AnswerSyncAsync(ids: false);
        await syncing.OrHang();
        Assert.False(dialogue.Session.EchoesRequestIds);
    }

    [Fact]
    public async Task Guests_whose_agents_say_the_same_are_told_apart()
    {
        async Task<GuestPlatform> PlatformOfAsync(string system)
        {
            var options = new EmbeddedGuestAgentOptions { Version = nameof(Guests_whose_agents_say_the_same_are_told_apart) };
            options.Commands["guest-get-osinfo"] = _ => new JsonObject { ["id"] = system };
            using var session = await EmbeddedEndpoint.Register($"{Guid.NewGuid()}", new EmbeddedGuestAgent(options)).Connect();
            Assert.Equal((options.Version, true), (session.Agent!.Version, session.Agent.Commands["guest-ping"].Enabled));
            return await GuestPlatform.FindAsync(session, new OperationTime(TimeProvider.System, null), CancellationToken.None);
        }

        Assert.IsType<PosixPlatform>(await PlatformOfAsync("debian"));
        Assert.IsType<WindowsPlatform>(await PlatformOfAsync("mswindows"));
        Assert.IsType<PosixPlatform>(await PlatformOfAsync("debian"));
    }

    [Fact]
    public async Task An_agent_that_says_nearly_the_same_as_the_last_is_read_anew()
    {
        foreach (var (enabled, version) in new[] { ("true", "1.0"), ("true", "1.0"), ("true", "1.1"), ("null", "1.1"), ("true", "1.1") })
        {
            var (session, _) = await ConnectAsync(
                $$"""{"return": {"version": "{{version}}", "supported_commands": [{"name": "a", "enabled": {{enabled}}}, {"name": "b{{enabled}}"}]}, "id": ID}""");
            Assert.Equal((version, true), (session.Agent!.Version, session.Agent.Commands.ContainsKey($"b{enabled}")));
        }
    }

    private static async Task<(GuestAgentSession Session, PeerConnection Peer)> ConnectAsync(params string[] lines)
    {
        var endpoint = new ScriptedPeer();
        var connecting = endpoint.Connect();
        var peer = await AnswerAsync(endpoint, lines);
        return (await connecting.OrHang(), peer);
    }

    private static async Task<PeerConnection> AnswerAsync(ScriptedPeer endpoint, string[] lines)
    {
        var peer = await endpoint.AcceptAsync();
        peer.Write(Sync(await peer.ReadAsync()));
        var probe = await peer.ReadAsync();
        peer.Write(string.Concat(lines.Select(line => line.Replace("ID", $"{probe.Id}", StringComparison.Ordinal) + "\n")));
        return peer;
    }
}
