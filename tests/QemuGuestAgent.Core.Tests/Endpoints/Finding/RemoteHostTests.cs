using System.Diagnostics;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Endpoints.Finding;
using QemuGuestAgent.Core.Endpoints.Ssh;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Tests.Endpoints.Ssh;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;
using static QemuGuestAgent.Core.Tests.Endpoints.Finding.FakeHost;

namespace QemuGuestAgent.Core.Tests.Endpoints.Finding;

/// <summary>A host by the answers of a script is the same host as by its files.</summary>
public sealed class RemoteHostTests : IDisposable
{
    private readonly LabFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("sh", null)]
    [InlineData("busybox", "sh")]
    public async Task Its_files_are_the_same(string program, string? applet)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The hosts are those of Linux.");
        var odd = _folder.Combine("-a b 'c' \"d\" $HOME `e` \\f\u00e9\n");
        await File.WriteAllTextAsync(odd, "\0text\n\u00e9\n\n", CancellationToken.None);
        Directory.CreateDirectory(_folder.Combine("sub/empty"));
        File.CreateSymbolicLink(_folder.Combine("link"), "sub/../sub");
        File.CreateSymbolicLink(_folder.Combine("gone"), "nowhere\n");
        string[] paths =
        [
            odd, _folder.FullPath, _folder.Combine("sub"), _folder.Combine("sub/empty"), _folder.Combine("link"), _folder.Combine("gone"),
            _folder.Combine("none"), "/etc/passwd", "/", "/proc/self/cwd", "/dev/null",
        ];

        // What a tool of the system would add is not there for busybox.
        var shell = applet is null ? program : InstalledProgram.OrSkip(program);
        await using var stream = new ProcessStream(shell, ChannelProgram.Start(
            shell, [.. applet is null ? (string[])[] : [applet], "-c", HostScripts.Answer, "qga-1"]));
        var answers = new HostAnswers(new SshHost("kvm1"), new HostScript(stream, "qga-1", []));
        await SkipGreetingAsync(stream);
        var remote = new RemoteHost(answers, _ => { });
        var local = new LocalHost("/", null, _ => { });
        foreach (var compare in (Func<Host, string, object?>[])
        [
            (host, path) => string.Join('|', host.List(path).Order(StringComparer.Ordinal)), (host, path) => path.StartsWith("/dev", StringComparison.Ordinal) ? null : host.Read(path),
            (host, path) => path.StartsWith("/proc", StringComparison.Ordinal) ? null : host.ReadLink(path),
            (host, path) => path.StartsWith("/proc", StringComparison.Ordinal) ? null : host.StatusOf(path),
        ])
        {
            foreach (var path in paths)
            {
                _ = compare(remote, path);
            }

            await answers.FetchAsync(CancellationToken.None).OrHang();
            Assert.All(paths, path => Assert.Equal(compare(local, path), compare(remote, path)));
            Assert.False(answers.AreWanted);
        }

        _ = remote.RealPathOf(_folder.Combine("link/empty"));
        await answers.FetchAsync(CancellationToken.None).OrHang();
        Assert.Equal(_folder.Combine("sub/empty"), remote.RealPathOf(_folder.Combine("link/empty")));
    }

    [Fact]
    public async Task Guests_are_found_by_ssh_as_they_are_here()
    {
        using var server = SshServer.Start();
        using var guests = new SocketGuests();
        var name = $"vm-{Guid.NewGuid():N}";
        var path = guests.Listen(_folder.Combine("a b.sock"));

        // What counts is the command line of a process.
        using var qemu = Process.Start("bash",
        [
            "-c", "exec -a qemu-system-x86_64 bash -c 'while :; do sleep 1; done' x \"$@\"", "x", "-name", $"guest={name}",
            "-chardev", $"socket,id=qga0,path={path},server=on,wait=off", "-device", AgentDevice,
        ]);
        try
        {
            FoundChannel? here = null;
            await Poll.UntilAsync(() => (here = new ChannelFinder().Find().FirstOrDefault(channel => channel.Name == name)) is not null, "the process");
            var there = (await SshChannelFinder.FindAsync(server.Host, null, CancellationToken.None).OrHang()).Single(channel => channel.Name == name);
            Assert.Equal(
                (here!.Owner, here.IsTrusted, here.State, here.ProcessId, here.Source, "127.0.0.1"),
                (there.Owner, there.IsTrusted, there.State, there.ProcessId, there.Source, there.HostName));
            var endpoint = Assert.IsType<SshEndpoint>(EndpointGrammar.Default.Parse(there.Endpoint));
            Assert.Equal((path, server.Host), (endpoint.SocketPath, endpoint.Host));
        }
        finally
        {
            qemu.Kill(entireProcessTree: true);
        }
    }

    [Theory]
    [InlineData("read -r q;exec yes")]
    [InlineData("read -r q;exec cat /dev/zero")]
    [InlineData("exit 7")]
    public async Task A_host_whose_answers_never_end_or_never_begin_is_told_of(string script)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The hosts are those of Linux.");
        await using var stream = new ProcessStream("sh", ChannelProgram.Start("/bin/sh", ["-c", script]));
        var answers = new HostAnswers(new SshHost("kvm1"), new HostScript(stream, "qga-1", []));
        _ = answers['r', "/etc/passwd"];
        await answers.FetchAsync(CancellationToken.None).FailsWith(ErrorCatalogue.SshFailed);
    }

    private static async Task SkipGreetingAsync(Stream stream)
    {
        var feeds = 0;
        var next = new byte[1];
        while (feeds < 2)
        {
            await stream.ReadExactlyAsync(next, CancellationToken.None);
            feeds += next[0] == '\n' ? 1 : 0;
        }
    }
}
