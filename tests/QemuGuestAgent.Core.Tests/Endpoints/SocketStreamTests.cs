using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;
using static QemuGuestAgent.Core.Tests.Session.AgentScript;

namespace QemuGuestAgent.Core.Tests.Endpoints;

/// <summary>Waiting for a real socket: for what comes late, and for room.</summary>
public sealed class SocketStreamTests
{
    [Fact]
    public async Task A_slow_agent_does_not_have_dotnet_wait_for_its_socket_from_then_on()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux shows the threads of a process.");
        using var peer = new SocketPeer();
        using var host = TestHost.Start(SlowReplyHost.Argument, peer.SocketPath);
        try
        {
            await peer.AcceptAsync();
            var ping = await peer.TryReadAsync();
            await SlowReplyHost.WaitUntilWaitingAsync(host.Id);
            peer.Write(Return(ping!, "{}"));

            // Not read from: the client waits for room.
            await SlowReplyHost.WaitUntilWaitingAsync(host.Id);
            var write = await peer.TryReadAsync();
            Assert.Equal(SlowReplyHost.LongBytes, write!.Arguments.GetProperty("buf-b64").GetBytesFromBase64().Length);
            await SlowReplyHost.WaitUntilWaitingAsync(host.Id);
            peer.Write(Return(write, $$"""{"count": {{SlowReplyHost.LongBytes}}, "eof": false}"""));
            await host.WaitForExitAsync(CancellationToken.None).OrHang();
            Assert.Equal(0, host.ExitCode);
        }
        finally
        {
            host.Kill();
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(1 << 20)]
    public async Task Slow_agents_are_all_waited_for_however_many_they_are(int bytes)
    {
        var peers = Enumerable.Range(0, 40).Select(_ => new SocketPeer()).ToList();
        var sessions = new List<GuestAgentSession>();
        foreach (var peer in peers)
        {
            var connecting = GuestAgentSession.ConnectAsync(peer.Endpoint, cancellationToken: CancellationToken.None);
            await peer.AcceptAsync();
            sessions.Add(await connecting.OrHang());
        }

        var writing = sessions.ConvertAll(
            session => Task.Run(() => session.WriteFileAsync(1, new byte[bytes], new CallOptions(), CancellationToken.None)));
        var requests = await Task.WhenAll(peers.Select(peer => peer.TryReadAsync()));
        foreach (var (peer, request) in peers.Zip(requests))
        {
            peer.Write(Return(request!, $$"""{"count": {{bytes}}, "eof": false}"""));
        }

        Assert.All(await Task.WhenAll(writing).OrHang(), count => Assert.Equal(bytes, count));
        sessions.ForEach(session => session.Dispose());
        peers.ForEach(peer => peer.Dispose());
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4 << 20)]
    public async Task Closing_ends_the_wait(int bytes)
    {
        using var peer = new SocketPeer();
        var connecting = GuestAgentSession.ConnectAsync(peer.Endpoint, cancellationToken: CancellationToken.None);
        await peer.AcceptAsync();
        var session = await connecting.OrHang();
        var writing = session.WriteFileAsync(1, new byte[bytes], new CallOptions(), CancellationToken.None);

        // Past the wait on the caller's own thread.
        await Task.Delay(50, CancellationToken.None);
        session.Dispose();
        await writing.FailsWith(ErrorCatalogue.SessionClosed);
        if (bytes == 2)
        {
            Assert.NotNull(await peer.TryReadAsync());
        }

        // Its end comes, though a thread was waiting; of the long one, not all is there.
        Assert.Null(await peer.TryReadAsync());
    }
}
