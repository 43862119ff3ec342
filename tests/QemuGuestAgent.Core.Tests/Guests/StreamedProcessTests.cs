using System.Text;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Guests;

/// <summary>Live output of programs in the guest of a real agent, which is this machine: each subclass brings an agent.</summary>
public abstract partial class StreamedProcessTests : RealGuestTests
{
    private static readonly string[] Parents = ["/var/tmp", "/tmp"];

    // What a run that was killed has left here is not ours.
    private readonly HashSet<string> _before = [.. Folders()];
    private readonly List<GuestProcessLine> _lines = [];

    [Fact]
    public async Task Lines_of_both_streams_come_with_the_stream_they_came_from()
    {
        var result = await RunAsync(Shell("echo one; echo two >&2; printf 'three\\r\\n\\nno end'; exit 3"));
        Assert.Equal(["one", "three", "", "no end"], Texts(GuestOutputKind.Output));
        Assert.Equal(["two"], Texts(GuestOutputKind.Error));
        Assert.Equal((3, null, ""), (result.ExitCode, result.Signal, result.StandardOutput));
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_line_comes_while_the_program_runs()
    {
        var go = Agent.GuestPath("go");
        var start = Shell("echo first; while [ ! -e \"$1\" ]; do sleep 0.01; done; echo last", go);
        var result = await StreamedProcess.RunAsync(Session, start, async lines =>
        {
            _lines.AddRange(lines);

            // Without it the program never ends.
            await File.WriteAllTextAsync(go, "", TestEnd);
        }, cancellationToken: TestEnd).OrHang();
        Assert.Equal(["first", "last"], Texts(GuestOutputKind.Output));
        Assert.Equal(0, result.ExitCode);
    }

    [Fact]
    public async Task A_daemon_that_keeps_the_output_does_not_keep_the_end()
    {
        var result = await RunAsync(Shell("sleep 1000 & echo $!"));
        Assert.Equal(0, result.ExitCode);
        System.Diagnostics.Process.GetProcessById(int.Parse(Assert.Single(_lines).Text, null)).Kill();
    }

    [Theory]
    [InlineData("/no/such/program", null)]
    [InlineData("/etc/passwd", "/")]
    [InlineData("true", "/no/such/folder")]
    public async Task What_cannot_be_started_is_an_error(string path, string? folder)
    {
        await RunAsync(new GuestProcessStart(path) { WorkingDirectory = folder }).FailsWith(ErrorCatalogue.ProcessNotStarted);
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Arguments_input_environment_and_folder_are_those_given()
    {
        var folder = Directory.CreateDirectory(Agent.GuestPath("a folder")).FullName;
        var result = await RunAsync(Shell("cat; pwd; echo \"$A\"; echo \"$1\"", "$(id) '\"*") with
        {
            Input = Encoding.UTF8.GetBytes("in\n"),
            WorkingDirectory = folder,
            Environment = new Dictionary<string, string?> { ["A"] = "b c" },
            ReplacesEnvironment = true,
        });
        Assert.Equal(["in", folder, "b c", "$(id) '\"*"], Texts(GuestOutputKind.Output));
        Assert.Equal(0, result.ExitCode);
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task What_lasts_too_long_is_killed_and_leaves_nothing()
    {
        var call = new CallOptions { Timeout = TimeSpan.FromSeconds(2) };
        var error = await StreamedProcess.RunAsync(Session, Shell("echo $$; exec sleep 1000"), Take, false, call, TestEnd)
            .FailsWith(ErrorCatalogue.ProcessTimedOut);
        Assert.Contains("it was killed", error.Message, StringComparison.Ordinal);
        await AssertGoneAsync();
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Giving_up_in_the_midst_of_it_leaves_nothing()
    {
        using var stop = new CancellationTokenSource();
        var running = StreamedProcess.RunAsync(
            Session, Shell("echo $$; exec sleep 1000"), Take, cancellationToken: stop.Token);
        await Poll.UntilAsync(() => _lines.Count > 0, "the first line");
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.OrHang());
        await AssertGoneAsync();
        await AssertNothingLeftAsync();
        await AssertUsableAsync();
    }

    [Fact]
    public async Task Giving_up_at_any_moment_leaves_nothing()
    {
        var commands = await GivingUp.AtEveryCommandAsync(
            (call, stop) =>
            {
                _lines.Clear();
                return StreamedProcess.RunAsync(Session, Shell("echo $$; exec sleep 0.02"), Take, false, call, stop);
            },
            async () =>
            {
                await AssertGoneAsync();
                await AssertNothingLeftAsync();
            });
        Assert.True(commands >= 10, $"It took {commands} commands only.");
        await AssertUsableAsync();
    }

    private static GuestProcessStart Shell(string script, params string[] arguments) =>
        new("/bin/sh") { Arguments = ["-c", script, "sh", .. arguments] };

    private string[] Texts(GuestOutputKind stream) => [.. _lines.Where(line => line.Stream == stream).Select(line => line.Text)];

    private Task Take(IReadOnlyList<GuestProcessLine> lines)
    {
        _lines.AddRange(lines);
        return Task.CompletedTask;
    }

    private Task<GuestProcessResult> RunAsync(GuestProcessStart start) =>
        StreamedProcess.RunAsync(Session, start, Take, cancellationToken: TestEnd);

    private Task AssertGoneAsync() => Poll.UntilAsync(
        () => _lines.Select(line => $"/proc/{line.Text}/cmdline")
            .All(file => !File.Exists(file) || File.ReadAllText(file).Length == 0),
        "the end of the process");

    // Neither names nor handles. Other tests that run now have folders too, but not for long.
    private async Task AssertNothingLeftAsync()
    {
        Assert.DoesNotContain(await OpenFiles.ListAsync(Session), IsOurs);
        await AssertFoldersGoneAsync();
    }

    private static bool IsOurs(string target) => target.Contains("qemu-guest-agent-", StringComparison.Ordinal);

    private async Task AssertFoldersGoneAsync()
    {
        var folders = Folders().Where(folder => !_before.Contains(folder)).ToList();
        await Poll.UntilAsync(() => !folders.Exists(Directory.Exists), "the end of the folders");
    }

    private static IEnumerable<string> Folders() =>
        Parents.SelectMany(parent => Directory.GetDirectories(parent, "qemu-guest-agent-*"));

    private async Task AssertUsableAsync()
    {
        var result = await GuestProcess.RunAsync(Session, Shell("echo usable"), cancellationToken: TestEnd);
        Assert.Equal("usable\n", result.StandardOutput);
    }
}

/// <summary>Live output, with the system's agent.</summary>
public sealed class InstalledAgentStreamedProcessTests : StreamedProcessTests;

/// <summary>Live output, with a further agent.</summary>
public sealed class FurtherAgentStreamedProcessTests : StreamedProcessTests
{
    private protected override RealAgentBinary Binary() => RealAgentBinary.Further();
}
