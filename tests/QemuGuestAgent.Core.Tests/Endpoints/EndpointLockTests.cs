using System.Diagnostics;
using System.Net.Sockets;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;
using QemuGuestAgent.Core.Tests.Session;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Endpoints;

/// <summary>Two sessions do not talk across each other on one channel.</summary>
public sealed class EndpointLockTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("qga");
    private readonly List<string> _told = [];

    private UnixEndpoint Endpoint => new(Path.Combine(_folder.FullName, "s"));

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void One_takes_it_and_another_is_told_who_has_it_until_it_is_given_back()
    {
        using (Take(Endpoint))
        {
            var error = Assert.Throws<GuestAgentException>(() => Take(Endpoint)).Is(ErrorCatalogue.EndpointInUse);
            Assert.Contains(OperatingSystem.IsLinux() ? "another session of this process" : "process", error.Message, StringComparison.Ordinal);
        }

        Take(Endpoint)!.Dispose();
        Assert.Empty(_told);
    }

    [Fact]
    public async Task Another_process_is_named_and_its_lock_ends_with_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "flock is of Linux.");
        var flock = InstalledProgram.OrSkip("flock");
        Take(Endpoint)!.Dispose();
        using var holder = Process.Start(new ProcessStartInfo(flock)
        {
            ArgumentList = { "--no-fork", EndpointLock.PathOf(Endpoint.LockName), "sh", "-c", "echo; exec sleep 1000" },
            RedirectStandardOutput = true,
        })!;
        try
        {
            await holder.StandardOutput.ReadLineAsync(CancellationToken.None).AsTask().OrHang();
            var error = Assert.Throws<GuestAgentException>(() => Take(Endpoint)).Is(ErrorCatalogue.EndpointInUse);
            Assert.Contains($"process {holder.Id} (sleep)", error.Message, StringComparison.Ordinal);
        }
        finally
        {
            holder.Kill();
            await holder.WaitForExitAsync(CancellationToken.None);
        }

        Take(Endpoint)!.Dispose();
    }

    [Fact]
    public void Other_channels_are_others()
    {
        using var first = Take(Endpoint);
        using var second = Take(new UnixEndpoint(Endpoint.SocketPath + "2"));
        using var third = Take(new UnixEndpoint($"@{Guid.NewGuid()}"));
        using var tcp = Take(new TcpEndpoint("127.0.0.1", 1));
        Assert.Throws<GuestAgentException>(() => Take(new TcpEndpoint("127.0.0.1", 1)));
    }

    [Fact]
    public void A_channel_with_two_names_is_one()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links are Unix'.");
        File.WriteAllText(Endpoint.SocketPath, "");
        File.CreateSymbolicLink(Path.Combine(_folder.FullName, "folder"), _folder.FullName);
        using var first = Take(Endpoint);
        Assert.Throws<GuestAgentException>(() => Take(new UnixEndpoint(Path.Combine(_folder.FullName, "folder", "s")))).Is(ErrorCatalogue.EndpointInUse);
    }

    [Fact]
    public void What_each_opens_for_itself_has_none()
    {
        Assert.Null(Take(EmbeddedEndpoint.Register($"lock-{Guid.NewGuid()}", new EmbeddedGuestAgent(new EmbeddedGuestAgentOptions()))));
        Assert.Null(Take(new ExecEndpoint("cat")));
    }

    [Fact]
    public async Task A_session_that_failed_to_open_or_was_lost_holds_nothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems have other errors.");
        await Endpoint.Connect().FailsWith(ErrorCatalogue.EndpointNotFound);
        Take(Endpoint)!.Dispose();
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(Endpoint.SocketPath));
        listener.Listen(1);
        var connecting = Endpoint.Connect();
        (await listener.AcceptAsync(CancellationToken.None)).Dispose();
        await connecting.FailsWith(ErrorCatalogue.ConnectionLost);
        Take(Endpoint)!.Dispose();
    }

    private EndpointLock? Take(GuestAgentEndpoint endpoint) => EndpointLock.Take(endpoint, _told.Add);
}
