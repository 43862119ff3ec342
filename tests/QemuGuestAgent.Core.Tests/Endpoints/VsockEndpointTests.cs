using System.Net.Sockets;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Endpoints;

/// <summary>Opening a virtual socket, and why it does not open. Most need a kernel whose machine can be its own guest.</summary>
public sealed class VsockEndpointTests
{
    [Fact]
    public void The_address_is_written_as_Linux_reads_it()
    {
        var address = new VsockEndpoint.Address(0x01020304, 0x05060708).Serialize();
        Assert.Equal("28000000080706050403020100000000", Convert.ToHexString(address.Buffer.Span[..address.Size]));
    }

    [Fact]
    public async Task A_listening_port_is_opened_and_closed()
    {
        var port = VsockLoopback.FreePortOrSkip();
        using var listener = VsockEndpoint.MakeSocket();
        listener.Bind(new VsockEndpoint.Address(VsockLoopback.Cid, port));
        listener.Listen(1);
        using var stream = await new VsockEndpoint(VsockLoopback.Cid, port).OpenAsync();
        using var accepted = await listener.AcceptAsync(CancellationToken.None);
        await stream.WriteAsync(new byte[] { 1, 2 }, CancellationToken.None);
        Assert.Equal(2, await accepted.ReceiveAsync(new byte[10], CancellationToken.None));
        stream.Dispose();
        Assert.Equal(0, await accepted.ReceiveAsync(new byte[10], CancellationToken.None));
    }

    [Fact]
    public async Task A_port_where_nobody_listens_refuses() =>
        await new VsockEndpoint(VsockLoopback.Cid, VsockLoopback.FreePortOrSkip()).OpenAsync().FailsWith(ErrorCatalogue.EndpointRefused);

    [Fact]
    public async Task A_system_without_virtual_sockets_does_not_support_them()
    {
        Assert.SkipWhen(OperatingSystem.IsLinux() && HasFamily(), "This kernel has virtual sockets.");
        await new VsockEndpoint(VsockLoopback.Cid, 1).OpenAsync().FailsWith(ErrorCatalogue.EndpointNotSupported);
    }

    [Fact]
    public async Task A_caller_that_gives_up_gets_its_own_token_back()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && HasFamily(), "This system has no virtual sockets.");
        var given = new CancellationToken(canceled: true);
        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new VsockEndpoint(VsockLoopback.Cid, 1).OpenAsync(given));
        Assert.Equal(given, error.CancellationToken);
    }

    private static bool HasFamily()
    {
        try
        {
            VsockEndpoint.MakeSocket().Dispose();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
