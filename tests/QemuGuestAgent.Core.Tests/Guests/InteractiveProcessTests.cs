using System.Text;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Posix;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Contract;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Guests;

/// <summary>Programs in the guest of a real agent, which is this machine, that are spoken with: each subclass brings an agent.</summary>
public abstract partial class InteractiveProcessTests : RealGuestTests
{
    private const string Shell = "/bin/sh";

    private static readonly string[] Parents = ["/var/tmp", "/tmp"];
    private static readonly TimeSpan Never = TimeSpan.FromDays(1);

    // What a run that was killed has left here is not ours.
    private readonly HashSet<string> _before = [.. Folders()];
    private readonly MemoryStream _output = new();

    private string Text
    {
        get
        {
            lock (_output)
            {
                return Encoding.UTF8.GetString(_output.ToArray());
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(16384)]
    [InlineData(3 << 20)]
    public async Task Bytes_come_back_as_they_went(int count)
    {
        var bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        var process = await StartAsync("cat");
        var running = process.RunAsync(Take);
        foreach (var piece in bytes.Chunk(100_000))
        {
            process.Send(piece);
        }

        await Poll.UntilAsync(() => Length >= count, "all the bytes");
        await process.CloseAsync().OrHang();
        await running.OrHang();
        Assert.Equal(bytes, _output.ToArray());
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Each_answer_comes_before_the_next_question()
    {
        var process = await StartAsync(Shell, "-c", "while read -r line; do echo \"<$line>\"; done");
        var running = process.RunAsync(Take);
        var expected = "";
        for (var i = 0; i < 50; i++)
        {
            process.Send(Encoding.UTF8.GetBytes($"wörld {i}\n"));
            expected += $"<wörld {i}>\n";
            await Poll.UntilAsync(() => Text == expected, expected);
        }

        await process.CloseAsync().OrHang();
        await running.OrHang();
    }

    [Fact]
    public async Task Other_commands_of_the_session_go_on_meanwhile()
    {
        var process = await StartAsync("cat");
        var running = process.RunAsync(Take);
        process.Send(new byte[2 << 20]);
        for (var i = 0; i < 20; i++)
        {
            await AssertUsableAsync();
        }

        await Poll.UntilAsync(() => Length == 2 << 20, "all the bytes");
        await process.CloseAsync().OrHang();
        await running.OrHang();
    }

    [Fact]
    public async Task It_runs_as_the_user_that_is_named_in_that_user_s_home()
    {
        Assert.SkipUnless(Environment.UserName == "root", "Only root may run a program as somebody else.");
        var process = await InteractiveProcess.StartAsync(
            Session, Shell, ["-c", "id -un; pwd; echo \"$HOME $1\"", "sh", "a b\"'$"], "daemon", cancellationToken: TestEnd);
        await process.RunAsync(Take).FailsWith(ErrorCatalogue.InteractiveProcessEnded);
        Assert.Equal("daemon\n/usr/sbin\n/usr/sbin a b\"'$\n", Text);
        await process.CloseAsync().OrHang();
    }

    [Fact]
    public async Task What_finds_no_room_is_written_once_there_is()
    {
        var path = Agent.GuestPath("pipe");
        await GuestProcess.RunAsync(Session, new GuestProcessStart("mkfifo") { Arguments = [path] }, cancellationToken: TestEnd);
        var pipe = await GuestFile.OpenAsync(Session, path, "r+", new OperationTime(Session.Clock, null), TestEnd);
        var input = new InteractiveInput(Session, pipe);

        // More than it has room for.
        var sent = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 100_000).Select(number => $"{number:D6} ")));
        input.Add(sent);
        Assert.True(await input.WriteAsync(new CallOptions(), TestEnd));
        Assert.False(await input.WriteAsync(new CallOptions(), TestEnd));

        var length = $"{sent.Length}";
        var reading = GuestProcess.RunAsync(
            Session, new GuestProcessStart("head") { Arguments = ["-c", length, path] }, cancellationToken: TestEnd);
        while (!reading.IsCompleted)
        {
            await input.WriteAsync(new CallOptions(), TestEnd);
        }

        Assert.Equal(sent, (await reading.OrHang()).StandardOutputBytes);
        await pipe.DisposeAsync();
    }

    [Fact]
    public async Task A_windows_guest_needs_its_PowerShell_and_has_no_other_user()
    {
        using var session = await GuestAgentSession.ConnectAsync(
            EndpointGrammar.Default.With(EmbeddedEndpoint.Kind).Parse("embedded:?os=windows"), cancellationToken: TestEnd);
        await InteractiveProcess.StartAsync(session, "pwsh", [], cancellationToken: TestEnd)
            .FailsWith(ErrorCatalogue.GuestPowerShellUnusable);
        await InteractiveProcess.StartAsync(session, "pwsh", [], "user", cancellationToken: TestEnd)
            .FailsWith(ErrorCatalogue.NotInWindowsGuest);
    }

    [Fact]
    public async Task What_a_program_is_said_to_have_read_and_has_not_ends_it()
    {
        var process = await StartAsync(Shell, "-c", "echo $$; exec sleep 1000");
        process.Send(new byte[50_000]);
        var running = process.RunAsync(bytes =>
        {
            Take(bytes);
            process.ConfirmRead(50_000);
            process.Send(new byte[50_000]);
        });
        await running.FailsWith(ErrorCatalogue.InteractiveProcessLost);
        await process.CloseAsync().OrHang();
        await AssertGoneAsync();
        await AssertNothingLeftAsync();
    }

    private long Length
    {
        get
        {
            lock (_output)
            {
                return _output.Length;
            }
        }
    }

    private Task<InteractiveProcess> StartAsync(string path, params string[] arguments) =>
        StartAsync(HostWatch.Usual, path, arguments);

    private Task<InteractiveProcess> StartAsync(HostWatch watch, string path, params string[] arguments) =>
        InteractiveProcess.StartAsync(Session, path, arguments, null, watch, null, TestEnd).OrHang();

    private void Take(byte[] bytes)
    {
        lock (_output)
        {
            _output.Write(bytes);
        }
    }

    private async Task<string> FirstProcessAsync()
    {
        await Poll.UntilAsync(() => Text.Contains('\n', StringComparison.Ordinal), "its number");
        return Text.Split('\n')[0];
    }

    private async Task KillAsync(string processId) => await GuestProcess.RunAsync(
        Session, new GuestProcessStart("kill") { Arguments = ["-KILL", processId] }, cancellationToken: TestEnd);

    private Task AssertGoneAsync() => Poll.UntilAsync(
        () => Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => $"/proc/{line}/cmdline")
            .All(file => !File.Exists(file) || File.ReadAllText(file).Length == 0),
        "the end of the process");

    private async Task AssertNothingLeftAsync()
    {
        var agent = await GuestProcess.RunAsync(
            Session, new GuestProcessStart(Shell) { Arguments = ["-c", "echo $PPID"] }, cancellationToken: TestEnd);
        Assert.DoesNotContain(
            Directory.GetFiles($"/proc/{agent.StandardOutput.Trim()}/fd").Select(file => new FileInfo(file).LinkTarget ?? ""),
            target => target.Contains("qemu-guest-agent-", StringComparison.Ordinal));
        await AssertFoldersGoneAsync();
    }

    // Other tests that run now have folders too, but not for long.
    private async Task AssertFoldersGoneAsync()
    {
        var folders = Folders().Where(folder => !_before.Contains(folder)).ToList();
        await Poll.UntilAsync(() => !folders.Exists(Directory.Exists), "the end of the folders");
    }

    private static IEnumerable<string> Folders() =>
        Parents.SelectMany(parent => Directory.GetDirectories(parent, "qemu-guest-agent-*"));

    private async Task AssertUsableAsync()
    {
        var result = await GuestProcess.RunAsync(
            Session, new GuestProcessStart("echo") { Arguments = ["usable"] }, cancellationToken: TestEnd);
        Assert.Equal("usable\n", result.StandardOutput);
    }
}

/// <summary>Programs that are spoken with, with the system's agent.</summary>
public sealed class InstalledAgentInteractiveProcessTests : InteractiveProcessTests;

/// <summary>Programs that are spoken with, with the system's agent on a serial port, as in a virtual machine.</summary>
public sealed class InstalledPtyAgentInteractiveProcessTests : InteractiveProcessTests
{
    protected override Task<AgentPeer> StartAgentAsync() => Task.FromResult<AgentPeer>(new PtyAgent(RealAgentBinary.Installed()));
}

/// <summary>Programs that are spoken with, with a further agent on a serial port.</summary>
public sealed class FurtherPtyAgentInteractiveProcessTests : InteractiveProcessTests
{
    protected override Task<AgentPeer> StartAgentAsync() => Task.FromResult<AgentPeer>(new PtyAgent(RealAgentBinary.Further()));
}
