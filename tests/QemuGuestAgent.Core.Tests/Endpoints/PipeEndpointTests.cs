using System.IO.Pipes;
using System.Net.Sockets;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Endpoints;

/// <summary>Opening a named pipe, and why it does not open.</summary>
public sealed class PipeEndpointTests
{
    private readonly string _name = $"qga-{Guid.NewGuid()}";

    private string UnixPath => Path.Combine(Path.GetTempPath(), $"CoreFxPipe_{_name}");

    [Fact]
    public async Task A_pipe_is_opened_and_closed()
    {
        using var server = new NamedPipeServerStream(_name, PipeDirection.InOut, 1, PipeTransmissionMode.Byte, PipeOptions.Asynchronous);
        var waiting = server.WaitForConnectionAsync(CancellationToken.None);
        using (var stream = await new PipeEndpoint(_name).OpenAsync())
        {
            await waiting.OrHang();
            await stream.WriteAsync(new byte[] { 1, 2 }, CancellationToken.None);
            Assert.Equal(2, await server.ReadAsync(new byte[10], CancellationToken.None));
        }

        Assert.Equal(0, await server.ReadAsync(new byte[10], CancellationToken.None).AsTask().OrHang());
    }

    [Fact]
    public async Task A_pipe_that_is_not_there_is_not_found() =>
        await new PipeEndpoint(_name).OpenAsync().FailsWith(ErrorCatalogue.EndpointNotFound);

    [Fact]
    public async Task A_pipe_whose_server_is_gone_refuses()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There a pipe goes with its server.");
        using var bound = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        bound.Bind(new UnixDomainSocketEndPoint(UnixPath));
        await new PipeEndpoint(_name).OpenAsync().FailsWith(ErrorCatalogue.EndpointRefused);
    }

    [Fact]
    public async Task What_cannot_be_a_name_of_a_pipe_is_unreachable() =>
        await new PipeEndpoint("anonymous").OpenAsync().FailsWith(ErrorCatalogue.EndpointUnreachable);

    [Fact]
    public async Task A_caller_that_gives_up_gets_its_own_token_back()
    {
        var given = new CancellationToken(canceled: true);
        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new PipeEndpoint(_name).OpenAsync(given));
        Assert.Equal(given, error.CancellationToken);
    }
}
