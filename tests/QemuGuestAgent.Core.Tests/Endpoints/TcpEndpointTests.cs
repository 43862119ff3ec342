using System.Net;
using System.Net.Sockets;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Endpoints;

/// <summary>Opening a TCP port, and why it does not open.</summary>
public sealed class TcpEndpointTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    public async Task A_listening_port_is_opened(string host)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var stream = await new TcpEndpoint(host, ((IPEndPoint)listener.LocalEndpoint).Port).OpenAsync();
        using var accepted = await listener.AcceptSocketAsync(CancellationToken.None);
        await stream.WriteAsync(new byte[] { 1, 2 }, CancellationToken.None);
        Assert.Equal(2, await accepted.ReceiveAsync(new byte[10], CancellationToken.None));
    }

    [Fact]
    public async Task An_IPv6_address_is_opened()
    {
        Assert.SkipUnless(HasIPv6Loopback(), "This machine has no IPv6 loopback address.");
        using var listener = new TcpListener(IPAddress.IPv6Loopback, 0);
        listener.Start();
        using var stream = await new TcpEndpoint("::1", ((IPEndPoint)listener.LocalEndpoint).Port).OpenAsync();
        using var accepted = await listener.AcceptSocketAsync(CancellationToken.None);
        Assert.True(accepted.Connected);
    }

    [Fact]
    public async Task A_port_where_nothing_listens_refuses()
    {
        // Bound and not listening: nobody else can take the port meanwhile.
        using var bound = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bound.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var endpoint = new TcpEndpoint("127.0.0.1", ((IPEndPoint)bound.LocalEndPoint!).Port);
        await endpoint.OpenAsync().FailsWith(ErrorCatalogue.EndpointRefused);
    }

    [Fact]
    public async Task A_host_that_nobody_knows_is_not_found()
    {
        // The name is reserved for this (RFC 6761): no server answers for it.
        var endpoint = new TcpEndpoint("no-such-host.invalid", 5000);
        var error = await endpoint.OpenAsync().FailsWith(ErrorCatalogue.EndpointHostNotFound);
        Assert.Contains("tcp://no-such-host.invalid:5000", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_that_cannot_be_a_server_s_is_unreachable() =>
        await new TcpEndpoint("255.255.255.255", 5000).OpenAsync().FailsWith(ErrorCatalogue.EndpointUnreachable);

    [Fact]
    public async Task A_caller_that_gives_up_gets_its_own_token_back()
    {
        // A full queue answers no further connect, so that some of these wait until they are cancelled.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start(backlog: 0);
        var endpoint = new TcpEndpoint("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port);
        using var cancel = new CancellationTokenSource();
        var opening = Enumerable.Range(0, 8).Select(_ => endpoint.OpenAsync(cancel.Token)).ToList();
        await opening[0].OrHang();
        await cancel.CancelAsync();
        var cancelled = 0;
        foreach (var task in opening)
        {
            try
            {
                (await task.OrHang()).Dispose();
            }
            catch (OperationCanceledException e)
            {
                Assert.Equal(cancel.Token, e.CancellationToken);
                cancelled++;
            }
        }

        Assert.True(cancelled > 0);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(65536)]
    public void A_port_is_one_of_16_bits(int port) => Assert.Throws<FormatException>(() => new TcpEndpoint("host", port));

    private static bool HasIPv6Loopback()
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
