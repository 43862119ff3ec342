using System.Globalization;
using System.Text;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Guests;

/// <summary>Programs in the guest of a real agent, which is this machine: each subclass brings an agent.</summary>
public abstract partial class GuestProcessTests : RealGuestTests
{
    private const int MaxOutput = 16 << 20;

    [Fact]
    public async Task Every_exit_code_arrives()
    {
        for (var code = 0; code < 256; code++)
        {
            var result = await RunAsync("exit $1", $"{code}");
            Assert.Equal((code, null), (result.ExitCode!.Value, result.Signal));
        }
    }

    [Theory]
    [InlineData("HUP", 1)]
    [InlineData("ABRT", 6)]
    [InlineData("KILL", 9)]
    [InlineData("PIPE", 13)]
    [InlineData("TERM", 15)]
    public async Task A_signal_arrives_and_no_exit_code(string name, int number)
    {
        var result = await RunAsync("kill -s $1 $$", name);
        Assert.Equal((null, number), (result.ExitCode, result.Signal!.Value));
    }

    [Fact]
    public async Task Every_byte_goes_in_and_comes_out_of_both_streams()
    {
        byte[] bytes = [.. Enumerable.Range(0, 256).Select(b => (byte)b)];
        var result = await RunAsync(Shell("tee /dev/stderr") with { Input = bytes });
        Assert.Equal(bytes, result.StandardOutputBytes);
        Assert.Equal(bytes, result.StandardErrorBytes);
        Assert.False(result.Truncated);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("no end", "no end")]
    [InlineData("one\\ntwo\\r\\n", "one\ntwo\r\n")]
    [InlineData("\\357\\273\\277marked", "marked")]
    public async Task Text_arrives_as_it_was_written(string format, string expected)
    {
        var result = await RunAsync("printf \"$1\"; printf \"$1\" >&2", format);
        Assert.Equal(expected, result.StandardOutput);
        Assert.Equal(expected, result.StandardError);
    }

    [Fact]
    public async Task Text_is_read_in_the_encoding_given()
    {
        var result = await RunAsync(Shell("printf '\\344\\366'") with { Encoding = Encoding.Latin1 });
        Assert.Equal("äö", result.StandardOutput);
    }

    [Theory]
    [InlineData(MaxOutput - 1, false)]
    [InlineData(MaxOutput + 1, true)]
    public async Task More_than_the_agent_keeps_is_truncated(int bytes, bool isTruncated)
    {
        var result = await RunAsync("head -c $1 /dev/zero", $"{bytes}");
        Assert.Equal(Math.Min(bytes, MaxOutput), result.StandardOutputBytes.Length);
        Assert.Equal(isTruncated, result.Truncated);
    }

    [Fact]
    public async Task Ten_megabytes_go_in()
    {
        var bytes = new byte[10_000_000];
        Random.Shared.NextBytes(bytes);
        var result = await RunAsync(new GuestProcessStart("cat") { Input = bytes });
        Assert.Equal(bytes, result.StandardOutputBytes);
    }

    [Fact]
    public async Task A_thousand_arguments_arrive()
    {
        string[] arguments = [.. Enumerable.Range(0, 1000).Select(i => $"argument {i}")];
        var result = await RunAsync(new GuestProcessStart("printf") { Arguments = ["%s\\n", .. arguments] });
        Assert.Equal(arguments, result.StandardOutput.Split('\n')[..^1]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_character_of_an_argument_is_read_by_anything(bool isWrapped)
    {
        string[] arguments =
            [AllCharacters(), "", " ", "-n", "--", "$(id)", "a\nb\n", "\"", "'", "\\", "*", "~", "%PATH%", "ünï 漢字 😀"];
        var result = await RunAsync(new GuestProcessStart("printf")
        {
            Arguments = ["%s\\0", .. arguments],
            WorkingDirectory = isWrapped ? "/" : null,
        });
        Assert.Equal(arguments, result.StandardOutput.Split('\0')[..^1]);
    }

    [Fact]
    public async Task A_zero_in_an_argument_is_refused()
    {
        var start = new GuestProcessStart("true") { Arguments = ["a", "b\0c"] };
        await StartAsync(start).FailsWith(ErrorCatalogue.ArgumentTextInvalid);
        await StartAsync(new GuestProcessStart("tr\0ue")).FailsWith(ErrorCatalogue.ArgumentTextInvalid);
    }

    [Theory]
    [InlineData("/no/such/program", null)]
    [InlineData("/no/such/program", "/")]
    [InlineData("no-such-program", null)]
    [InlineData("no-such-program", "/")]
    [InlineData("/tmp", null)]
    [InlineData("/tmp", "/")]
    [InlineData("/etc/passwd", null)]
    [InlineData("/etc/passwd", "/")]
    [InlineData("true", "/no/such/folder")]
    [InlineData("true", "/etc/passwd")]
    public async Task What_cannot_be_started_is_an_error(string path, string? folder)
    {
        var start = new GuestProcessStart(path) { WorkingDirectory = folder };
        var error = await RunAsync(start).FailsWith(ErrorCatalogue.ProcessNotStarted);
        Assert.Matches("No such file|not found|Permission denied|can't cd", error.Message);
    }

    [Fact]
    public async Task It_runs_in_the_folder_given()
    {
        var folder = Directory.CreateDirectory(Agent.GuestPath("a folder; $(id)")).FullName;
        var result = await RunAsync(new GuestProcessStart("pwd") { WorkingDirectory = folder });
        Assert.Equal((folder + "\n", "", 0), (result.StandardOutput, result.StandardError, result.ExitCode!.Value));
    }

    [Fact]
    public async Task The_environment_is_merged_into_the_agent_s()
    {
        var before = Variables(await RunAsync(new GuestProcessStart("env") { Arguments = ["-0"] }));
        var after = Variables(await RunAsync(new GuestProcessStart("env")
        {
            Arguments = ["-0"],
            Environment = new Dictionary<string, string?>
            {
                ["ADDED"] = "a=b\nc 'd' $e ü",
                ["PATH"] = "/bin:/usr/bin",
                ["QGA_LOG"] = null,
            },
        }));
        Assert.Contains("QGA_LOG", before.Keys);
        before.Remove("QGA_LOG");
        before["PATH"] = "/bin:/usr/bin";
        before["ADDED"] = "a=b\nc 'd' $e ü";
        Assert.Equal(before.OrderBy(v => v.Key), after.OrderBy(v => v.Key));
    }

    [Fact]
    public async Task The_environment_is_replaced_where_that_is_asked_for()
    {
        var result = await RunAsync(new GuestProcessStart("/usr/bin/env")
        {
            Environment = new Dictionary<string, string?> { ["ONLY"] = "this" },
            ReplacesEnvironment = true,
        });
        Assert.Equal("ONLY=this\n", result.StandardOutput);
    }

    [Fact]
    public async Task Fifty_run_at_once()
    {
        var start = Shell("read -r line; echo \"$line\"; echo \"$line\" >&2");
        var processes = await Task.WhenAll(Enumerable.Range(0, 50).Select(
            i => StartAsync(start with { Input = Encoding.ASCII.GetBytes($"{i}\n") })));
        var results = await Task.WhenAll(processes.Select(process => process.WaitAsync(cancellationToken: TestEnd)));
        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"{i}\n"), results.Select(result => result.StandardOutput));
        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"{i}\n"), results.Select(result => result.StandardError));
    }

    [Fact]
    public async Task The_end_is_told_once_the_last_holder_of_the_output_is_gone()
    {
        var go = Agent.GuestPath("go");
        var process = await StartAsync(Shell("echo started; (while [ ! -e \"$1\" ]; do sleep 0.01; done; echo daemon) &", go));
        Assert.Null(await process.RefreshAsync(cancellationToken: TestEnd));
        await File.WriteAllTextAsync(go, "", TestEnd);
        Assert.Equal("started\ndaemon\n", (await process.WaitAsync(cancellationToken: TestEnd)).StandardOutput);
    }

    [Fact]
    public async Task A_result_can_be_had_again()
    {
        var process = await StartAsync(Shell("echo kept"));
        var result = await process.WaitAsync(cancellationToken: TestEnd);
        Assert.Same(result, await process.WaitAsync(cancellationToken: TestEnd));
        Assert.Same(result, await process.RefreshAsync(cancellationToken: TestEnd));
        await process.StopAsync(cancellationToken: TestEnd);
        var unknown = new GuestProcess(Session, process.Pid);
        await unknown.RefreshAsync(cancellationToken: TestEnd).FailsWith(ErrorCatalogue.ProcessUnknown);
    }

    [Fact]
    public async Task A_process_is_found_by_its_id()
    {
        var started = await StartAsync(Shell("echo found"));
        var result = await new GuestProcess(Session, started.Pid).WaitAsync(cancellationToken: TestEnd);
        Assert.Equal(("found\n", null), (result.StandardOutput, result.Duration));
    }

    [Fact]
    public async Task Stopping_kills_all_that_it_has_started()
    {
        var process = await StartTreeAsync();
        await process.Process.StopAsync(cancellationToken: TestEnd);
        Assert.Equal(9, process.Process.Result?.Signal ?? (await process.Process.WaitAsync(cancellationToken: TestEnd)).Signal);
        await AssertGoneAsync(process.Ids);
    }

    [Fact]
    public async Task What_lasts_too_long_is_killed()
    {
        var pids = Agent.GuestPath("pids");
        var call = new CallOptions { Timeout = TimeSpan.FromSeconds(2) };
        var running = GuestProcess.RunAsync(Session, Tree(pids), false, call, TestEnd);
        var error = await running.FailsWith(ErrorCatalogue.ProcessTimedOut);
        Assert.Contains("it was killed", error.Message, StringComparison.Ordinal);
        await AssertGoneAsync(await WrittenIdsAsync(pids));
    }

    [Fact]
    public async Task What_lasts_too_long_is_kept_where_that_is_asked_for()
    {
        var go = Agent.GuestPath("go");
        var start = Shell("while [ ! -e \"$1\" ]; do sleep 0.01; done; echo done", go);
        var call = new CallOptions { Timeout = TimeSpan.FromSeconds(1) };
        var error = await GuestProcess.RunAsync(Session, start, true, call, TestEnd).FailsWith(ErrorCatalogue.ProcessTimedOut);
        Assert.Contains("it is still running", error.Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(go, "", TestEnd);
        var process = new GuestProcess(Session, (long)error.Target!);
        Assert.Equal("done\n", (await process.WaitAsync(cancellationToken: TestEnd)).StandardOutput);
    }

    [Fact]
    public async Task Giving_up_kills_it()
    {
        var pids = Agent.GuestPath("pids");
        using var stop = new CancellationTokenSource();
        var running = GuestProcess.RunAsync(Session, Tree(pids), cancellationToken: stop.Token);
        var ids = await ReadIdsAsync(pids);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.OrHang());
        await AssertGoneAsync(ids);
        Assert.Equal("usable\n", (await RunAsync("echo usable")).StandardOutput);
    }

    [Fact]
    public async Task Giving_up_while_it_is_being_started_kills_it()
    {
        var pids = Agent.GuestPath("pids");
        using var stop = new CancellationTokenSource();
        await Agent.PauseAsync();
        var running = GuestProcess.RunAsync(Session, Tree(pids), cancellationToken: stop.Token);
        await Poll.UntilAsync(() => Session.State == GuestAgentSessionState.Busy, "the request");
        await stop.CancelAsync();
        await Agent.ResumeAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.OrHang());
        await AssertGoneAsync(await WrittenIdsAsync(pids));
        Assert.Equal("usable\n", (await RunAsync("echo usable")).StandardOutput);
    }

    [Fact]
    public async Task Giving_up_at_any_moment_leaves_nothing_running()
    {
        var pids = Agent.GuestPath("pids");
        var start = Shell("echo $$ >>\"$1\"; exec sleep 0.05", pids) with
        {
            Environment = new Dictionary<string, string?> { ["A"] = "b" },
            WorkingDirectory = "/",
        };
        var commands = await GivingUp.AtEveryCommandAsync(
            (call, stop) => GuestProcess.RunAsync(Session, start, call: call, cancellationToken: stop),
            async () => await AssertGoneAsync(await WrittenIdsAsync(pids)));
        Assert.True(commands >= 6, $"It took {commands} commands only.");
        Assert.Equal("usable\n", (await RunAsync("echo usable")).StandardOutput);
    }

    [Fact]
    public async Task The_end_that_was_told_to_nobody_is_not_lost()
    {
        var process = await StartAsync(Shell("echo kept; exit 7"));
        using var stop = new CancellationTokenSource();
        await Agent.PauseAsync();
        var asking = process.WaitAsync(cancellationToken: stop.Token);
        await Poll.UntilAsync(() => Session.State == GuestAgentSessionState.Busy, "the request");
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking.OrHang());
        await Agent.ResumeAsync();
        var result = await process.WaitAsync(cancellationToken: TestEnd);
        Assert.Equal(("kept\n", 7), (result.StandardOutput, result.ExitCode!.Value));
    }

    private static GuestProcessStart Shell(string script, params string[] arguments) =>
        new("/bin/sh") { Arguments = ["-c", script, "sh", .. arguments] };

    // A process with a child and a grandchild; each writes its number into the file.
    private static GuestProcessStart Tree(string pids) => Shell(
        "sh -c 'sh -c \"echo \\$\\$ >>\\$0; exec sleep 1000\" \"$0\" & echo $$ >>\"$0\"; wait' \"$1\" & echo $$ >>\"$1\"; wait",
        pids);

    private static string AllCharacters() => string.Concat(Enumerable.Range(1, 0x2FF).Select(c => (char)c));

    private static Dictionary<string, string> Variables(GuestProcessResult result) =>
        result.StandardOutput.Split('\0', StringSplitOptions.RemoveEmptyEntries)
            .Select(v => v.Split('=', 2)).ToDictionary(v => v[0], v => v[1]);

    // Of those that have come so far.
    private static async Task<string[]> WrittenIdsAsync(string path) =>
        File.Exists(path) ? await File.ReadAllLinesAsync(path, TestEnd) : [];

    private static async Task<string[]> ReadIdsAsync(string path)
    {
        await Poll.UntilAsync(() => File.Exists(path) && File.ReadAllLines(path).Length == 3, "the processes");
        return await File.ReadAllLinesAsync(path, TestEnd);
    }

    // An orphan waits as a zombie until whoever is process 1 takes note of it.
    private static Task AssertGoneAsync(IEnumerable<string> ids) =>
        Poll.UntilAsync(() => ids.All(IsGone), "the end of the processes");

    private static bool IsGone(string id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{int.Parse(id, CultureInfo.InvariantCulture)}/stat");
            return stat[stat.LastIndexOf(')') + 2] == 'Z';
        }
        catch (IOException)
        {
            return true;
        }
    }

    private async Task<(GuestProcess Process, string[] Ids)> StartTreeAsync()
    {
        var pids = Agent.GuestPath("pids");
        return (await StartAsync(Tree(pids)), await ReadIdsAsync(pids));
    }

    private Task<GuestProcess> StartAsync(GuestProcessStart start) =>
        GuestProcess.StartAsync(Session, start, cancellationToken: TestEnd);

    private Task<GuestProcessResult> RunAsync(string script, params string[] arguments) => RunAsync(Shell(script, arguments));

    private Task<GuestProcessResult> RunAsync(GuestProcessStart start) =>
        GuestProcess.RunAsync(Session, start, cancellationToken: TestEnd);
}

/// <summary>Programs, with the system's agent.</summary>
public sealed class InstalledAgentProcessTests : GuestProcessTests;

/// <summary>Programs, with a further agent.</summary>
public sealed class FurtherAgentProcessTests : GuestProcessTests
{
    private protected override RealAgentBinary Binary() => RealAgentBinary.Further();
}
