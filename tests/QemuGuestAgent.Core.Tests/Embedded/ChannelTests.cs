using System.Net;
using System.Net.Sockets;
using QemuGuestAgent.EmbeddedAgent;
using static QemuGuestAgent.Core.Tests.Embedded.Texts;

namespace QemuGuestAgent.Core.Tests.Embedded;

/// <summary>One client at a time, and what outlives clients and agents.</summary>
public sealed class ChannelTests
{
    [Fact]
    public async Task A_second_client_hears_nothing_until_the_first_has_left()
    {
        var agent = new EmbeddedGuestAgent();
        using var first = RawClient.To(agent);
        using var second = RawClient.To(agent);
        await second.SendAsync(Request("guest-sync", "\"id\":2") + "\n");
        Assert.Equal("{\"return\": 1}", await first.AskAsync(Request("guest-sync", "\"id\":1")));
        Assert.Equal(["guest-sync"], agent.Requests);
        first.Dispose();
        Assert.Equal("{\"return\": 2}", await second.LineAsync());
    }

    [Fact]
    public async Task The_reply_to_a_client_that_left_goes_to_the_next_one()
    {
        var agent = new EmbeddedGuestAgent();
        agent.Kill();
        using (var first = RawClient.To(agent))
        {
            await first.SendAsync(Request("guest-sync", "\"id\":1") + "\n");
        }

        agent.Start();
        using var second = RawClient.To(agent);
        Assert.Equal("{\"return\": 1}", await second.LineAsync());
    }

    [Fact]
    public async Task A_request_may_be_sent_in_two_halves_by_two_clients()
    {
        var agent = new EmbeddedGuestAgent();
        using (var first = RawClient.To(agent))
        {
            await first.SendAsync(Ping[..10]);
        }

        using var second = RawClient.To(agent);
        Assert.Equal(Pong, await second.AskAsync(Ping[10..]));
    }

    [Fact]
    public async Task A_killed_agent_leaves_the_connection_open_and_forgets_half_a_request()
    {
        var agent = new EmbeddedGuestAgent();
        using var client = RawClient.To(agent);
        Assert.Equal("{\"return\": 1000}", await client.AskAsync(Request("guest-file-open", "\"path\":\"/etc/hostname\"")));
        Assert.Equal(1, agent.OpenHandleCount);
        Assert.Equal(Pong, await client.AskAsync(Ping + "{\"execute\":"));
        agent.Kill();
        Assert.False(agent.IsRunning);
        await client.SendAsync(Ping);
        agent.Start();
        Assert.Equal(Pong, await client.LineAsync());
        Assert.Equal(0, agent.OpenHandleCount);
        Assert.Equal("{\"return\": 1001}", await client.AskAsync(Request("guest-file-open", "\"path\":\"/etc/hostname\"")));
    }

    [Fact]
    public async Task A_reply_that_was_not_sent_whole_is_lost_in_its_middle()
    {
        var agent = new EmbeddedGuestAgent(new() { Commands = { ["guest-big"] = _ => new string('x', 1 << 20) } });
        using var client = RawClient.To(agent);
        await client.SendAsync("{\"execute\":\"guest-big\"}");
        Assert.Equal("", await client.UntilAsync("{\"return\": \""));
        agent.Kill();
        agent.Start();
        await client.SendAsync("{\"execute\":\"guest-ping\"}\n");
        var rest = await client.LineAsync();
        Assert.EndsWith("x" + Pong, rest, StringComparison.Ordinal);
        Assert.True(rest.Length < 1 << 20);
    }

    [Fact]
    public async Task Writes_wait_for_an_agent_that_does_not_read()
    {
        var agent = new EmbeddedGuestAgent();
        agent.Kill();
        using var client = RawClient.To(agent);
        using var cancel = new CancellationTokenSource();
        var write = client.Stream.WriteAsync(new byte[1 << 20], cancel.Token).AsTask();
        Assert.False(write.IsCompleted);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Bounded(write));
    }

    [Fact]
    public async Task Disposing_ends_a_pending_read()
    {
        using var client = RawClient.ToNew();
        var read = client.Stream.ReadAsync(new byte[1], TestContext.Current.CancellationToken).AsTask();
        await client.Stream.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Bounded(read));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.AskAsync(Ping));
    }

    [Fact]
    public async Task A_cancelled_read_loses_nothing()
    {
        using var client = RawClient.ToNew();
        using var cancel = new CancellationTokenSource();
        var read = client.Stream.ReadAsync(new byte[1], cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Bounded(read));
        Assert.Equal(Pong, await client.AskAsync(Ping));
    }

    [Fact]
    public async Task It_serves_a_socket_too()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var near = new TcpClient();
        await near.ConnectAsync((IPEndPoint)listener.LocalEndpoint, TestContext.Current.CancellationToken);
        var far = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        var agent = new EmbeddedGuestAgent();
        using var hangUp = new CancellationTokenSource();
        var service = agent.ServeAsync(far.GetStream(), hangUp.Token);
        using var client = new RawClient(near.GetStream());
        Assert.Equal(Pong, await client.AskAsync(Ping));
        await hangUp.CancelAsync();
        await Bounded(service);
        await Assert.ThrowsAsync<EndOfStreamException>(client.LineAsync);
    }

    private static Task Bounded(Task task) => task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
}
