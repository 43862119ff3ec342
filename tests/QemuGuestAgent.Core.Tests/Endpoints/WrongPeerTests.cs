using System.Net;
using System.Net.Sockets;
using System.Text;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;

namespace QemuGuestAgent.Core.Tests.Endpoints;

/// <summary>What answers is no guest agent, or nothing answers: each has its own error.</summary>
public sealed class WrongPeerTests : IDisposable
{
    private readonly WatchedTime _time = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public WrongPeerTests() => _listener.Start();

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task A_web_server_is_no_agent_and_its_words_are_shown()
    {
        var connecting = Connect();
        using var server = await AcceptAsync();
        var answer = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n<html>\u001b[2J\r\n";
        await server.SendAsync(Encoding.ASCII.GetBytes(answer), CancellationToken.None);
        server.Dispose();
        var error = await connecting.FailsWith(ErrorCatalogue.NotAnAgent);
        Assert.Contains("HTTP/1.1 400 Bad Request", error.Message, StringComparison.Ordinal);
        Assert.Contains("org.qemu.guest_agent.0", error.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_that_greets_and_waits_is_no_agent_once_the_time_is_over()
    {
        var endpoint = new ScriptedPeer();
        var connecting = Connect(endpoint);
        var peer = await endpoint.AcceptAsync();
        peer.Write("SSH-2.0-OpenSSH_9.2\u001b[2J\r\n");
        peer.Then(() => _time.Advance(Dialogue.CallTime));
        var error = await connecting.FailsWith(ErrorCatalogue.NotAnAgent);
        Assert.Contains(@"SSH-2.0-OpenSSH_9.2\u001B[2J", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_monitor_of_QEMU_is_told_by_its_greeting_at_once()
    {
        var endpoint = new ScriptedPeer();
        var connecting = Connect(endpoint);
        var peer = await endpoint.AcceptAsync();
        peer.Write("""{"QMP": {"version": {"qemu": {"major": 10}}, "capabilities": ["oob"]}}""" + "\r\n");
        peer.Write("""{"error": {"class": "CommandNotFound", "desc": "Expecting capabilities negotiation"}}""" + "\r\n");
        await connecting.FailsWith(ErrorCatalogue.NotAnAgent);
    }

    [Fact]
    public async Task A_server_that_sends_back_what_it_gets_echoes()
    {
        var connecting = Connect();
        using var server = await AcceptAsync();
        var buffer = new byte[4096];
        var count = await server.ReceiveAsync(buffer, CancellationToken.None);
        await server.SendAsync(buffer.AsMemory(0, count), CancellationToken.None);
        server.Shutdown(SocketShutdown.Send);
        await connecting.FailsWith(ErrorCatalogue.EndpointEchoes);
    }

    [Fact]
    public async Task A_serial_line_with_echo_and_no_agent_echoes_once_the_time_is_over()
    {
        var endpoint = new ScriptedPeer();
        var connecting = Connect(endpoint);
        var peer = await endpoint.AcceptAsync();
        peer.Write((await peer.ReadAsync()).Raw);
        peer.Then(() => _time.Advance(Dialogue.CallTime));
        await connecting.FailsWith(ErrorCatalogue.EndpointEchoes);
    }

    [Fact]
    public async Task A_server_that_says_nothing_is_silent()
    {
        var connecting = Connect();
        using var server = await AcceptAsync();
        Assert.True(await server.ReceiveAsync(new byte[4096], CancellationToken.None) > 0);
        _time.Advance(Dialogue.CallTime);
        var error = await connecting.FailsWith(ErrorCatalogue.AgentSilent);
        Assert.Contains(" 60 seconds", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_closes_at_once_is_lost()
    {
        var connecting = Connect();
        (await AcceptAsync()).Dispose();
        await connecting.FailsWith(ErrorCatalogue.ConnectionLost);
    }

    [Fact]
    public async Task A_server_that_resets_is_lost()
    {
        var connecting = Connect();
        var server = await AcceptAsync();
        Assert.True(await server.ReceiveAsync(new byte[4096], CancellationToken.None) > 0);
        server.LingerState = new LingerOption(true, 0);
        server.Dispose();
        await connecting.FailsWith(ErrorCatalogue.ConnectionLost);
    }

    [Fact]
    public async Task A_server_that_never_stops_sending_is_cut_off()
    {
        var endpoint = new ScriptedPeer();
        var connecting = endpoint.Connect(new GuestAgentSessionOptions { TimeProvider = _time, MaxSyncBytes = 1 << 20 });
        var peer = await endpoint.AcceptAsync();
        peer.Write(Enumerable.Repeat<ReadOnlyMemory<byte>>(new byte[64 << 10], 100));
        peer.Close();
        await connecting.FailsWith(ErrorCatalogue.SyncSkippedTooMuch);
        Assert.InRange(peer.Stream.BytesTaken, 1 << 20, 2 << 20);
    }

    private Task<Socket> AcceptAsync() => _listener.AcceptSocketAsync(CancellationToken.None).AsTask().OrHang();

    private Task<GuestAgentSession> Connect(GuestAgentEndpoint? endpoint = null) =>
        (endpoint ?? new TcpEndpoint("127.0.0.1", ((IPEndPoint)_listener.LocalEndpoint).Port))
            .Connect(new GuestAgentSessionOptions { TimeProvider = _time, SyncRepeatWait = TimeSpan.Zero });
}
