using System.Net.Sockets;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Endpoints;

/// <summary>Opening a Unix socket, and why it does not open. The errors are those of Linux.</summary>
public sealed class UnixEndpointTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("qga");

    private string SocketPath => Path.Combine(_folder.FullName, "s");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_listening_socket_is_opened_and_closed()
    {
        using var listener = Listen(SocketType.Stream, backlog: 1);
        using (var stream = await new UnixEndpoint(SocketPath).OpenAsync())
        {
            using var accepted = await listener.AcceptAsync(CancellationToken.None);
            await stream.WriteAsync(new byte[] { 1, 2 }, CancellationToken.None);
            Assert.Equal(2, await accepted.ReceiveAsync(new byte[10], CancellationToken.None));
            await accepted.SendAsync(new byte[] { 3 }, CancellationToken.None);
            Assert.Equal(1, await stream.ReadAsync(new byte[10], CancellationToken.None));
            stream.Dispose();
            Assert.Equal(0, await accepted.ReceiveAsync(new byte[10], CancellationToken.None));
        }
    }

    [Theory]
    [InlineData("s")]
    [InlineData("no/such/folder/s")]
    public async Task A_socket_that_is_not_there_is_not_found(string name)
    {
        var endpoint = new UnixEndpoint(Path.Combine(_folder.FullName, name));
        var error = await endpoint.OpenAsync().FailsWith(ErrorCatalogue.EndpointNotFound);
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
        Assert.IsType<UnixEndpoint>(error.Target);
    }

    [Fact]
    public async Task A_socket_whose_listener_is_gone_refuses()
    {
        Listen(SocketType.Stream, backlog: 1).Dispose();
        if (!File.Exists(SocketPath))
        {
            // .NET removed it with the listener; what a killed QEMU leaves is bound and not listening.
            using var bound = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            bound.Bind(new UnixDomainSocketEndPoint(SocketPath));
            await new UnixEndpoint(SocketPath).OpenAsync().FailsWith(ErrorCatalogue.EndpointRefused);
            return;
        }

        await new UnixEndpoint(SocketPath).OpenAsync().FailsWith(ErrorCatalogue.EndpointRefused);
    }

    [Fact]
    public async Task A_regular_file_refuses()
    {
        await File.WriteAllTextAsync(SocketPath, "no socket", CancellationToken.None);
        await new UnixEndpoint(SocketPath).OpenAsync().FailsWith(ErrorCatalogue.EndpointRefused);
    }

    [Fact]
    public async Task A_folder_refuses() =>
        await new UnixEndpoint(_folder.FullName).OpenAsync().FailsWith(ErrorCatalogue.EndpointRefused);

    [Fact]
    public async Task A_path_below_a_file_cannot_be_opened()
    {
        await File.WriteAllTextAsync(SocketPath, "no folder", CancellationToken.None);
        await new UnixEndpoint(Path.Combine(SocketPath, "s")).OpenAsync().FailsWith(ErrorCatalogue.EndpointUnreachable);
    }

    [Fact]
    public async Task A_socket_of_another_type_cannot_be_opened()
    {
        using var listener = Listen(SocketType.Dgram, backlog: 0);
        await new UnixEndpoint(SocketPath).OpenAsync().FailsWith(ErrorCatalogue.EndpointUnreachable);
    }

    [Fact]
    public async Task A_socket_whose_queue_is_full_is_held()
    {
        // Nobody accepts, so that the queue fills; the kernel takes one or two more than it is told.
        using var listener = Listen(SocketType.Stream, backlog: 1);
        var waiting = new List<Stream>();
        GuestAgentException? held = null;
        for (var i = 0; i < 8 && held is null; i++)
        {
            try
            {
                waiting.Add(await new UnixEndpoint(SocketPath).OpenAsync());
            }
            catch (GuestAgentException e)
            {
                held = e;
            }
        }

        Assert.InRange(waiting.Count, 1, 4);
        Assert.NotNull(held);
        held.ShouldBe(ErrorCatalogue.EndpointBacklogFull);
        waiting.ForEach(stream => stream.Dispose());
    }

    [Fact]
    public void A_socket_that_one_may_not_write_to_is_denied()
    {
        using var listener = Listen(SocketType.Stream, backlog: 1);
        Nobody.SetMode(SocketPath, UnixFileMode.None);
        var error = OpenAsNobody();
        Assert.Contains("the socket", error.Message, StringComparison.Ordinal);
        Assert.Contains($"rw '{SocketPath}'", error.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public void A_socket_in_a_folder_that_one_may_not_enter_is_denied_by_that_folder()
    {
        var inner = _folder.CreateSubdirectory("closed/inner").FullName;
        using var listener = Listen(SocketType.Stream, backlog: 1, Path.Combine(inner, "s"));
        var closed = Path.GetDirectoryName(inner)!;
        Nobody.SetMode(closed, UnixFileMode.None);
        var error = OpenAsNobody(Path.Combine(inner, "s"));
        Assert.Contains($"the folder '{closed}'", error.Message, StringComparison.Ordinal);
        Assert.Contains($"x '{closed}'", error.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_abstract_socket_is_opened()
    {
        var name = $"qga-{Guid.NewGuid()}";
        using var listener = Listen(SocketType.Stream, backlog: 1, '\0' + name);
        using var stream = await new UnixEndpoint('@' + name).OpenAsync();
        using var accepted = await listener.AcceptAsync(CancellationToken.None);
        await stream.WriteAsync(new byte[] { 1, 2 }, CancellationToken.None);
        Assert.Equal(2, await accepted.ReceiveAsync(new byte[10], CancellationToken.None));
    }

    [Fact]
    public async Task An_abstract_socket_on_which_nobody_listens_refuses()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Abstract sockets are Linux's.");
        await new UnixEndpoint($"@qga-{Guid.NewGuid()}").OpenAsync().FailsWith(ErrorCatalogue.EndpointRefused);
    }

    [Fact]
    public async Task A_caller_that_gives_up_gets_its_own_token_back()
    {
        using var listener = Listen(SocketType.Stream, backlog: 1);
        var given = new CancellationToken(canceled: true);
        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new UnixEndpoint(SocketPath).OpenAsync(given));
        Assert.Equal(given, error.CancellationToken);
    }

    // The test's folder is for its user only, as it is made.
    private GuestAgentException OpenAsNobody(string? path = null)
    {
        Nobody.SetMode(_folder.FullName, (UnixFileMode)0b111_001_001);
        var endpoint = new UnixEndpoint(path ?? SocketPath);
        return Assert.IsType<GuestAgentException>(Nobody.Record(() => endpoint.OpenAsync().GetAwaiter().GetResult()))
            .ShouldBe(ErrorCatalogue.EndpointAccessDenied);
    }

    private Socket Listen(SocketType type, int backlog, string? path = null)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems have other errors.");
        var socket = new Socket(AddressFamily.Unix, type, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path ?? SocketPath));
        if (type == SocketType.Stream)
        {
            socket.Listen(backlog);
        }

        return socket;
    }
}
