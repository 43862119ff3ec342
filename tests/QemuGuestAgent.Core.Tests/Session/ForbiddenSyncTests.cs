using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;
using static QemuGuestAgent.Core.Tests.Session.AgentScript;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>An agent whose policy forbids both kinds of sync: what it says of an unknown command shows that the session is in step.</summary>
public sealed class ForbiddenSyncTests
{
    private const string Stale = """{"error": {"class": "CommandNotFound", "desc": "The command guest-sync-4711 has not been found"}}""" + "\n";

    // As QEMU's own test of allow lists (tests/unit/test-qga.c, test_qga_allowedrpcs), with a client that synchronises.
    [Fact]
    public async Task The_further_agent_with_a_list_of_two_allowed_commands_serves_them() =>
        await AssertServesAsync(RealAgentBinary.Further() with { Policy = "--allow-rpcs=guest-ping,guest-get-time" });

    [Fact]
    public async Task The_installed_agent_without_both_syncs_serves_the_rest() =>
        await AssertServesAsync(RealAgentBinary.Installed() with
        {
            Policy = AgentProcess.BlockingPolicy + ",guest-sync,guest-sync-delimited,guest-info,guest-get-fsinfo",
        });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task It_is_in_step_with_and_without_ids(bool ids)
    {
        var endpoint = new ScriptedPeer();
        var connecting = endpoint.Connect();
        var peer = await endpoint.AcceptAsync();
        var last = await RefuseSyncsAsync(peer);
        peer.Write(StrayError + NotFound(last));
        await peer.AnswerProbeAsync(ids);

        using var session = await connecting.OrHang();
        Assert.Equal((last.SyncId, false, ids), (session.LastSync!.Id, session.LastSync.IsDelimited, session.EchoesRequestIds));
        var asking = session.Ask("guest-get-time");
        await peer.AnswerAsync("guest-get-time", "1");
        Assert.Equal(1, (await asking.OrHang()).GetInt32());
    }

    [Fact]
    public async Task Refusals_left_by_a_former_client_do_not_count()
    {
        var endpoint = new ScriptedPeer();
        var connecting = endpoint.Connect();
        var peer = await endpoint.AcceptAsync();
        var delimited = await peer.ReadAsync();
        peer.Write(Stale + Stale + Stale);
        var plain = await peer.ReadAsync();
        var last = await peer.ReadAsync();
        Assert.Equal(("guest-sync", $"guest-sync-{last.SyncId}", true), (plain.Command, last.Command, last.HasSentinel));

        // All are answered, in order: only the last one shows that nothing more is due.
        peer.Write(Sync(delimited) + Sync(plain));
        peer.Then(() => Assert.False(connecting.IsCompleted));
        peer.Write(Stale + StrayError + NotFound(last));
        await peer.AnswerProbeAsync();
        using var session = await connecting.OrHang();
        Assert.Equal((last.SyncId, true), (session.LastSync!.Id, session.LastSync.IsDelimited));
    }

    [Fact]
    public async Task A_sync_follows_a_time_out_there_too()
    {
        using var dialogue = await Dialogue.StartAsync();
        await dialogue.TimeOutAsync("guest-get-time");
        var asking = dialogue.Ask("guest-get-time");
        var last = await RefuseSyncsAsync(dialogue.Peer);

        // The reply that was waited for in vain is not taken for that of the next command.
        dialogue.Peer.Write("""{"return": 666}""" + "\n" + NotFound(last));
        await dialogue.Peer.AnswerProbeAsync();
        await dialogue.Peer.AnswerAsync("guest-get-time", "4712");
        Assert.Equal(4712, (await asking.OrHang()).GetInt64());
    }

    private static async Task AssertServesAsync(RealAgentBinary binary)
    {
        await using var agent = await ListeningAgent.StartAsync(binary);
        using var session = await agent.ConnectAsync();
        Assert.Equal((null, true, false), (session.Agent, session.EchoesRequestIds, session.LastSync!.IsDelimited));
        Assert.Equal("{}", (await session.Ask("guest-ping").OrHang()).GetRawText());
        Assert.InRange((await session.Ask("guest-get-time").OrHang()).GetInt64(), 1, long.MaxValue);
        await session.Ask("guest-get-fsinfo").FailsWith(ErrorCatalogue.CommandDisabled);
        await session.Ask("guest-no-such-command").FailsWith(ErrorCatalogue.CommandNotFound);
        Assert.NotEqual(session.LastSync.Id, (await session.Sync().OrHang()).Id);
        Assert.Equal(GuestAgentSessionState.Ready, session.State);
    }

    private static async Task<PeerRequest> RefuseSyncsAsync(PeerConnection peer)
    {
        foreach (var command in new[] { "guest-sync-delimited", "guest-sync" })
        {
            var sync = await peer.ReadAsync();
            Assert.Equal((command, true), (sync.Command, sync.HasSentinel));
            peer.Write(StrayError + Error(sync, $"Command {command} has been disabled", "CommandNotFound"));
        }

        return await peer.ReadAsync();
    }

    private static string NotFound(PeerRequest request) =>
        Error(request, $"The command {request.Command} has not been found", "CommandNotFound");
}
