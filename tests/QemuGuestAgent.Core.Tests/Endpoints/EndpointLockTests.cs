using System.Diagnostics;
using System.Net.Sockets;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
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

    private string LockPath => Path.Combine(UserFolder.ForLocks(_told.Add), EndpointLock.FileName(Endpoint.LockName));

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void One_takes_it_and_another_is_told_who_has_it_until_it_is_given_back()
    {
        using (Take(Endpoint))
        {
            var error = Assert.Throws<GuestAgentException>(() => Take(Endpoint)).ShouldBe(ErrorCatalogue.EndpointInUse);
            Assert.Contains(OperatingSystem.IsLinux() ? "another session of this process" : "process", error.Message, StringComparison.Ordinal);
        }

        Take(Endpoint)!.Dispose();
        Assert.Empty(_told);
    }

    [Fact]
    public async Task A_session_waits_for_the_one_that_has_it_as_long_as_it_may()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems have other errors.");
        var first = Take(Endpoint);
        var error = await Endpoint.Connect(call: new() { Timeout = TimeSpan.FromMilliseconds(100) }).FailsWith(ErrorCatalogue.EndpointInUse);
        Assert.Contains("another session of this process", error.Message, StringComparison.Ordinal);
        var told = new TaskCompletionSource();
        var waiting = Endpoint.Connect(call: new()
        {
            Trace = happened =>
            {
                if (happened.Text.Contains("waiting", StringComparison.Ordinal))
                {
                    told.TrySetResult();
                }
            },
        });
        await told.Task.OrHang();
        first!.Dispose();

        // There is no socket: it was tried.
        await waiting.FailsWith(ErrorCatalogue.EndpointNotFound);
        using var stop = new CancellationTokenSource();
        using var second = Take(Endpoint);
        var cancelled = GuestAgentSession.ConnectAsync(Endpoint, cancellationToken: stop.Token);
        stop.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
    }

    [Fact]
    public async Task Another_process_is_named_and_its_lock_ends_with_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "flock is of Linux.");
        var flock = InstalledProgram.OrSkip("flock");
        var script = "umask 077; exec \"$0\" --no-fork \"$1\" sh -c 'echo; exec sleep 1000'";
        using var holder = Process.Start(new ProcessStartInfo("sh", ["-c", script, flock, LockPath]) { RedirectStandardOutput = true })!;
        try
        {
            await holder.StandardOutput.ReadLineAsync(CancellationToken.None).AsTask().OrHang();

            // The shell tells that it has the lock, and is the program then.
            await Poll.UntilAsync(() => File.ReadAllText($"/proc/{holder.Id}/comm") == "sleep\n", "the program in the shell's place");
            var error = Assert.Throws<GuestAgentException>(() => Take(Endpoint)).ShouldBe(ErrorCatalogue.EndpointInUse);
            Assert.Contains($"process {holder.Id} (sleep)", error.Message, StringComparison.Ordinal);
        }
        finally
        {
            holder.Kill();
            await holder.WaitForExitAsync(CancellationToken.None);
        }

        // What a killed process has left is removed by the next.
        Assert.True(File.Exists(LockPath));
        Take(Endpoint)!.Dispose();
        Assert.False(File.Exists(LockPath));
    }

    [Fact]
    public async Task Another_user_can_neither_hold_a_lock_nor_be_in_its_place()
    {
        await Nobody.RunAsync("{ mkfifo \"$0\"; ln -s /no/such \"$0\"; mkdir \"$0\"; echo > \"$0\"; } 2> /dev/null", LockPath);
        using var waiter = Nobody.Start("while read; do { exec 9< \"$0\" && flock 9; } 2> /dev/null; echo; done", LockPath);
        using (await Task.Run(() => Take(Endpoint)).OrHang())
        {
            await Nobody.RunAsync("rm -f \"$0\" 2> /dev/null", LockPath);
            Assert.True(File.Exists(LockPath));
            await waiter.StandardInput.WriteLineAsync();
        }

        await waiter.StandardOutput.ReadLineAsync(CancellationToken.None).AsTask().OrHang();
        Take(Endpoint)!.Dispose();
        Assert.Empty(_told);
        waiter.StandardInput.Close();
        await waiter.WaitForExitAsync(CancellationToken.None).OrHang();
    }

    [Fact]
    public async Task Nothing_of_it_stays_however_many_take_it_at_the_same_time()
    {
        var (holders, taken) = (0, 0);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 500; i++)
            {
                try
                {
                    using (Take(Endpoint))
                    {
                        Assert.Equal(1, Interlocked.Increment(ref holders));
                        Interlocked.Increment(ref taken);
                        Interlocked.Decrement(ref holders);
                    }
                }
                catch (GuestAgentException e) when (e.Is(ErrorCatalogue.EndpointInUse))
                {
                    // Another has it.
                }
            }
        })));
        Assert.True(taken > 0);
        Assert.Empty(_told);
        Assert.False(File.Exists(LockPath));
    }

    [Theory]
    [InlineData("mkfifo \"$0\"")]
    [InlineData("ln -s /no/such \"$0\"")]
    [InlineData("ln -s \"$1/file\" \"$0\"")]
    [InlineData("ln \"$1/file\" \"$0\"")]
    [InlineData("mkdir \"$0\"")]
    [InlineData("umask 022; echo > \"$0\"")]
    public async Task What_is_no_lock_of_ours_is_not_waited_for_and_told(string script)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "They are Unix'.");
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "file"), "", CancellationToken.None);
        using (var shell = Process.Start("sh", ["-c", script, LockPath, _folder.FullName]))
        {
            await shell.WaitForExitAsync(CancellationToken.None);
            Assert.Equal(0, shell.ExitCode);
        }

        try
        {
            Assert.Null(await Task.Run(() => Take(Endpoint)).OrHang());
            Assert.Contains("is not a private file of this user", Assert.Single(_told), StringComparison.Ordinal);
        }
        finally
        {
            using var remove = Process.Start("rm", ["-r", LockPath]);
            await remove.WaitForExitAsync(CancellationToken.None);
        }
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
        Assert.Throws<GuestAgentException>(() => Take(new UnixEndpoint(Path.Combine(_folder.FullName, "folder", "s"))))
            .ShouldBe(ErrorCatalogue.EndpointInUse);
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

    private EndpointLock? Take(GuestAgentEndpoint endpoint) => EndpointLock.TryTake(endpoint, _told.Add, out var taken) ? taken : throw EndpointLock.InUse(endpoint);
}
