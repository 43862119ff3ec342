using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using static QemuGuestAgent.Core.Tests.Session.AgentScript;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>A sync that nobody answers is sent again: it may have died with the agent that took it.</summary>
public sealed class SyncRepeatTests
{
    private readonly WatchedTime _time = new();

    [Fact]
    public async Task The_last_one_counts()
    {
        var endpoint = new ScriptedPeer();
        var connecting = Connect(endpoint);
        var peer = await endpoint.AcceptAsync();
        var lost = await peer.ReadAsync();
        await _time.PassAsync(TimeSpan.FromSeconds(3));
        var again = await peer.ReadAsync();
        Assert.Equal(("guest-sync-delimited", true), (again.Command, again.HasSentinel));
        Assert.NotEqual(lost.SyncId, again.SyncId);

        // It was only slow.
        peer.Write(Sync(lost) + Sync(again));
        await peer.AnswerProbeAsync();
        using var session = await connecting.OrHang();
        Assert.Equal((again.SyncId, true, 3), (session.LastSync!.Id, session.LastSync.IsDelimited, session.LastSync.RepliesDiscarded));
    }

    [Fact]
    public async Task Each_is_waited_for_twice_as_long_as_the_one_before()
    {
        var endpoint = new ScriptedPeer();
        var connecting = Connect(endpoint);
        var peer = await endpoint.AcceptAsync();
        foreach (var seconds in new[] { 3, 6, 12 })
        {
            await peer.ReadAsync();
            await _time.PassAsync(TimeSpan.FromSeconds(seconds));
        }

        await peer.AnswerSyncAsync();
        (await connecting.OrHang()).Dispose();
    }

    [Fact]
    public async Task An_agent_without_the_delimited_one_is_sent_the_plain_one_again()
    {
        var endpoint = new ScriptedPeer();
        var connecting = Connect(endpoint);
        var peer = await endpoint.AcceptAsync();
        peer.Write(Error(await peer.ReadAsync(), "no such command", "CommandNotFound"));
        await peer.ReadAsync();
        await _time.PassAsync(TimeSpan.FromSeconds(3));
        var again = await peer.ReadAsync();
        Assert.Equal(("guest-sync", true), (again.Command, again.HasSentinel));
        peer.Write(Sync(again));
        await peer.AnswerProbeAsync();
        using var session = await connecting.OrHang();
        Assert.Equal((again.SyncId, false), (session.LastSync!.Id, session.LastSync.IsDelimited));
    }

    [Fact]
    public async Task One_that_has_not_gone_out_yet_is_not()
    {
        var endpoint = new ScriptedPeer { RequestBytes = 8 };
        var connecting = Connect(endpoint);
        var peer = await endpoint.AcceptAsync();
        await _time.PassAsync(TimeSpan.FromSeconds(3));
        await _time.UntilAwaitedAsync(TimeSpan.FromSeconds(6));
        await peer.AnswerSyncAsync();
        (await connecting.OrHang()).Dispose();
    }

    private Task<GuestAgentSession> Connect(ScriptedPeer endpoint) =>
        endpoint.Connect(new GuestAgentSessionOptions { TimeProvider = _time });
}
