using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;
using QemuGuestAgent.Core.Tests.Session;

namespace QemuGuestAgent.Core.Tests.Endpoints;

/// <summary>Opening a serial port (here a terminal), and why it does not open.</summary>
public sealed class SerialEndpointTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("qga");

    public SerialEndpointTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "Serial ports are opened on Linux only.");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Every_byte_passes_as_it_is_both_ways()
    {
        using var pty = new Pty(isRaw: false);
        using var stream = await new SerialEndpoint(pty.SlavePath).OpenAsync();
        var all = Enumerable.Range(0, 256).Select(value => (byte)value).ToArray();
        await stream.WriteAsync(all, CancellationToken.None);
        Assert.Equal(all, await ReadAsync(pty, all.Length));
        Assert.Equal(all.Length, pty.Write(all, all.Length));
        var received = new byte[all.Length];
        await stream.ReadExactlyAsync(received, CancellationToken.None).AsTask().OrHang();
        Assert.Equal(all, received);
    }

    [Fact]
    public async Task What_the_far_end_does_not_take_yet_is_waited_for()
    {
        using var pty = new Pty();
        using var stream = await new SerialEndpoint(pty.SlavePath).OpenAsync();
        var bytes = new byte[100_000];
        new Random(1).NextBytes(bytes);
        var writing = stream.WriteAsync(bytes, CancellationToken.None).AsTask();
        Assert.Equal(bytes, await ReadAsync(pty, bytes.Length));
        await writing.OrHang();
    }

    [Fact]
    public async Task Closing_ends_a_read_and_a_write_that_wait()
    {
        using var pty = new Pty();
        var stream = await new SerialEndpoint(pty.SlavePath).OpenAsync();
        var reading = stream.ReadAsync(new byte[10], CancellationToken.None).AsTask();
        var writing = stream.WriteAsync(new byte[100_000], CancellationToken.None).AsTask();
        await stream.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => reading.OrHang());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => writing.OrHang());
    }

    [Fact]
    public async Task A_port_that_goes_away_is_lost()
    {
        var pty = new Pty();
        var connecting = new SerialEndpoint(pty.SlavePath).Connect();
        await ReadAsync(pty, 10);
        pty.Dispose();
        await connecting.FailsWith(ErrorCatalogue.ConnectionLost);
    }

    [Fact]
    public async Task A_line_on_which_all_is_echoed_is_one_that_only_echoes()
    {
        using var near = new Pty();
        using var far = new Pty();
        using var cable = new SerialCable(near, far, echoes: true);
        var error = await GuestAgentSession
            .ConnectAsync(new SerialEndpoint(near.SlavePath), call: new CallOptions { Timeout = TimeSpan.FromSeconds(0.5) }, cancellationToken: CancellationToken.None)
            .FailsWith(ErrorCatalogue.EndpointEchoes);
        Assert.Contains(near.SlavePath, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_agent_behind_a_line_that_echoes_is_heard_all_the_same()
    {
        await using var agent = new SerialAgent(RealAgentBinary.Installed(), echoes: true);
        using var session = await agent.ConnectAsync();
        Assert.Equal("{}", (await session.Ask("guest-ping").OrHang()).GetRawText());
        Assert.True((await session.Ask("guest-get-osinfo").OrHang()).TryGetProperty("kernel-release", out _));
        await session.Sync().OrHang();
        Assert.Equal(GuestAgentSessionState.Ready, session.State);
    }

    [Fact]
    public async Task A_port_that_is_not_there_is_not_found() =>
        await new SerialEndpoint("/dev/no-such-port").OpenAsync().FailsWith(ErrorCatalogue.EndpointNotFound);

    [Theory]
    [InlineData("/dev/null")]
    [InlineData("/")]
    public async Task What_is_no_port_cannot_be_opened(string path) =>
        await new SerialEndpoint(path).OpenAsync().FailsWith(ErrorCatalogue.EndpointUnreachable);

    [Fact]
    public async Task A_file_is_no_port()
    {
        var file = Path.Combine(_folder.FullName, "file");
        await File.WriteAllTextAsync(file, "no port", CancellationToken.None);
        var error = await new SerialEndpoint(file).OpenAsync().FailsWith(ErrorCatalogue.EndpointUnreachable);
        Assert.Contains("not a serial port", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_port_that_one_may_not_open_is_denied()
    {
        using var pty = new Pty();
        Nobody.SetMode(pty.SlavePath, UnixFileMode.None);
        var error = Assert.IsType<GuestAgentException>(Nobody.Record(() => new SerialEndpoint(pty.SlavePath).Open()));
        error.ShouldBe(ErrorCatalogue.EndpointAccessDenied);
        Assert.Contains("group", error.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_names_of_a_port_are_one_channel()
    {
        using var pty = new Pty();
        var link = Path.Combine(_folder.FullName, "link");
        File.CreateSymbolicLink(link, pty.SlavePath);
        Assert.Equal(new SerialEndpoint(pty.SlavePath).LockName, new SerialEndpoint(link).LockName);
    }

    private static async Task<byte[]> ReadAsync(Pty pty, int count)
    {
        var received = new List<byte>();
        var buffer = new byte[4096];
        await Poll.UntilAsync(() =>
        {
            received.AddRange(buffer.AsSpan(0, pty.Read(buffer)));
            return received.Count >= count;
        }, $"{count} bytes from the terminal");
        return [.. received.Take(count)];
    }
}
