using System.Text.Json;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>A session in sync with its scripted peer, on a clock that stands still.</summary>
internal sealed class Dialogue : IDisposable
{
    /// <summary>The time that a call has.</summary>
    public static readonly TimeSpan CallTime = new CallOptions().Timeout;

    private Dialogue(ScriptedPeer endpoint, WatchedTime time, PeerConnection peer, GuestAgentSession session) =>
        (Endpoint, Time, Peer, Session) = (endpoint, time, peer, session);

    public ScriptedPeer Endpoint { get; }

    public WatchedTime Time { get; }

    public PeerConnection Peer { get; private set; }

    public GuestAgentSession Session { get; }

    public static async Task<Dialogue> StartAsync(
        bool ids = true, GuestAgentSessionOptions? options = null, ScriptedPeer? endpoint = null,
        string info = AgentScript.Info)
    {
        endpoint ??= new ScriptedPeer();
        var time = new WatchedTime();
        // Tests let time pass in one leap, in which it is open whether a sync is sent again.
        var connecting = endpoint.Connect((options ?? new()) with { TimeProvider = time, SyncRepeatWait = TimeSpan.Zero });
        var peer = await endpoint.AcceptAsync();
        await peer.AnswerSyncAsync(ids, info);
        var session = await connecting.OrHang();
        Assert.Equal(ids, session.EchoesRequestIds);
        return new Dialogue(endpoint, time, peer, session);
    }

    public Task<JsonElement> Ask(string command) => Session.Ask(command);

    /// <summary>Sends a command that the peer takes and does not answer, until the caller's time is over.</summary>
    public async Task<PeerRequest> TimeOutAsync(GuestAgentRequest request)
    {
        var asking = Session.Ask(request);
        var read = await Peer.ReadAsync();
        Assert.Equal(request.Command, read.Command);
        Time.Advance(CallTime);
        await asking.FailsWith(Core.Errors.ErrorCatalogue.CommandTimedOut);
        return read;
    }

    public Task<PeerRequest> TimeOutAsync(string command) => TimeOutAsync(new GuestAgentRequest(command));

    /// <summary>The session is in sync: a command is sent without a sync, and gets its own reply.</summary>
    public async Task IsInSyncAsync()
    {
        var asking = Ask("guest-get-time");
        await Peer.AnswerAsync("guest-get-time", "4711");
        Assert.Equal(4711, (await asking.OrHang()).GetInt64());
        Assert.Equal(GuestAgentSessionState.Ready, Session.State);
    }

    /// <summary>The session is out of sync: it synchronises before the next command, by itself, and then works.</summary>
    public async Task SynchronisesByItselfAsync(string stale = "", bool ids = true)
    {
        Assert.Equal(GuestAgentSessionState.OutOfSync, Session.State);
        var asking = Ask("guest-get-time");
        Peer.Write(stale);
        var sync = await Peer.AnswerSyncAsync(ids);
        Assert.True(sync.HasSentinel);
        await Peer.AnswerAsync("guest-get-time", "4712");
        Assert.Equal(4712, (await asking.OrHang()).GetInt64());
        await IsInSyncAsync();
    }

    /// <summary>Accepts the connection that the session opens anew.</summary>
    public async Task AcceptAsync() => Peer = await Endpoint.AcceptAsync();

    public void Dispose() => Session.Dispose();
}
