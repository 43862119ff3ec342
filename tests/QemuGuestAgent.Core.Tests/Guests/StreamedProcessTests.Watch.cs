using System.Globalization;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Posix;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Guests;

// What the guest does where the host is gone without a word, and what it leaves alone.
public abstract partial class StreamedProcessTests
{
    private static readonly TimeSpan Never = TimeSpan.FromDays(1);

    [Fact]
    public async Task A_host_that_is_gone_leaves_nothing_and_the_next_closes_its_handles()
    {
        // One that listens itself exits with a client that has left a reply unread, and its handles go with it.
        await using var agent = new PtyAgent(Binary());
        Session.Dispose();
        Session = await agent.ConnectAsync();
        var watch = new HostWatch(Never, TimeSpan.FromSeconds(0.1), 30);
        var running = RunAsync(watch, Shell("sleep 1000 & echo $!; echo $$; wait"));
        await Poll.UntilAsync(() => _lines.Count == 2, "both numbers");
        Session.Dispose();
        await running.FailsWith(ErrorCatalogue.SessionClosed);
        await AssertGoneAsync();
        await AssertFoldersGoneAsync();

        Session = await agent.ConnectAsync();
        var held = await OpenFiles.ListAsync(Session);
        Assert.True(held.Count(IsOurs) == 2, string.Join('\n', held));
        await RunAsync(Shell("exit 0"));
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_host_that_is_gone_before_the_program_began_leaves_nothing()
    {
        var watch = new HostWatch(Never, TimeSpan.FromSeconds(0.1), 30);
        var files = new OutputFiles(Session, watch);
        await files.CreateAsync([], new OperationTime(Session.Clock, null), TestEnd);
        Assert.True(Directory.Exists(files.Folder));
        await AssertFoldersGoneAsync();
    }

    [Fact]
    public async Task With_signs_of_life_it_goes_on()
    {
        var go = Agent.GuestPath("go");
        var running = RunAsync(SignsOfLife.Watch, Shell("echo $$; until [ -e \"$1\" ]; do sleep 0.01; done; exit 9", go));
        await Poll.UntilAsync(() => _lines.Count > 0, "its number");
        await SignsOfLife.SeenAsync(_lines[0].Text);
        await File.WriteAllTextAsync(go, "", TestEnd);
        Assert.Equal(9, (await running.OrHang()).ExitCode);
    }

    [Fact]
    public async Task Who_is_slow_to_take_lines_is_not_gone()
    {
        var go = Agent.GuestPath("go");
        var start = Shell("echo $$; until [ -e \"$1\" ]; do sleep 0.01; done; exit 9", go);
        var result = await StreamedProcess.RunAsync(
            Session, start,
            async lines =>
            {
                await SignsOfLife.SeenAsync(Assert.Single(lines).Text);
                await File.WriteAllTextAsync(go, "", TestEnd);
            },
            SignsOfLife.Watch, false, null, TestEnd);
        Assert.Equal(9, result.ExitCode);
    }

    [Fact]
    public async Task What_goes_on_when_its_time_is_over_is_not_killed_and_fills_no_disk()
    {
        var watch = new HostWatch(TimeSpan.FromSeconds(0.1), TimeSpan.FromSeconds(0.1), 50);
        var go = Agent.GuestPath("go");

        // While a shell redirects, its standard output is for a moment not there, or another.
        var start = Shell("exec 3>&1; echo $$; while [ ! -e \"$1\" ]; do echo more; echo more >&2; done", go);
        var call = new CallOptions { Timeout = TimeSpan.FromSeconds(1) };
        var error = await StreamedProcess.RunAsync(Session, start, Take, watch, true, call, TestEnd)
            .FailsWith(ErrorCatalogue.ProcessTimedOut);
        Assert.Contains("it is still running", error.Message, StringComparison.Ordinal);
        // Errors may be read before the first output.
        var id = _lines.First(line => line.Stream == GuestOutputKind.Output).Text;
        var output = new FileInfo($"/proc/{id}/fd/3").LinkTarget!;

        // More often than the looks that would be its end.
        var (emptied, before) = (0, 0L);
        await Poll.UntilAsync(
            () =>
            {
                var length = new FileInfo(output).Length;
                emptied += length < before ? 1 : 0;
                before = length;
                return emptied > watch.MaxMissed;
            },
            "the emptying of its output");
        await File.WriteAllTextAsync(go, "", TestEnd);
        await new GuestProcess(Session, long.Parse(id, CultureInfo.InvariantCulture)).WaitAsync(cancellationToken: TestEnd);
        await AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData("exit 137", 137, null)]
    [InlineData("kill -KILL $$", null, 9)]
    [InlineData("kill -TERM $$", null, 15)]
    public async Task An_exit_code_is_told_from_a_signal(string script, int? exitCode, int? signal)
    {
        var result = await RunAsync(Shell(script));
        Assert.Equal((exitCode, signal), (result.ExitCode, result.Signal));
    }

    [Fact]
    public async Task No_variable_of_the_program_is_changed()
    {
        string[] names = ["line", "state", "parent", "started", "program", "start", "handles", "folder", "tree", "OTHER"];
        var result = await RunAsync(new GuestProcessStart("/usr/bin/env")
        {
            Environment = names.ToDictionary(name => name, string? (_) => "mine"),
            ReplacesEnvironment = true,
        });
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(
            names.Select(name => $"{name}=mine").Order(),
            Texts(GuestOutputKind.Output).Where(line => !line.StartsWith("PWD=", StringComparison.Ordinal)).Order());
    }

    private Task<GuestProcessResult> RunAsync(HostWatch watch, GuestProcessStart start) =>
        StreamedProcess.RunAsync(Session, start, Take, watch, false, null, TestEnd).OrHang();
}
