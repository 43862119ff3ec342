using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Posix;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;
using static QemuGuestAgent.Core.Tests.Session.AgentScript;

namespace QemuGuestAgent.Core.Tests.Guests;

/// <summary>How the end of a process is asked for, which the agent tells only once; on a clock that stands still.</summary>
public sealed class GuestProcessPollTests
{
    private const string Running = """{"exited": false}""";
    private const string Ended = """{"exited": true, "exitcode": 3, "out-data": "aGVsbG8=", "out-truncated": false}""";

    private static readonly CallOptions Unlimited = new() { Timeout = TimeSpan.Zero };

    [Fact]
    public async Task It_is_asked_soon_at_first_and_seldom_later()
    {
        using var dialogue = await Dialogue.StartAsync();
        var waiting = new GuestProcess(dialogue.Session, 5).WaitAsync(Unlimited, TestContext.Current.CancellationToken);
        var (elapsed, polls) = (TimeSpan.Zero, 0);
        while (elapsed < TimeSpan.FromHours(1))
        {
            await dialogue.Peer.AnswerAsync("guest-exec-status", Running);
            polls++;
            var pause = TimeSpan.FromMilliseconds(Math.Clamp((long)elapsed.TotalMilliseconds / 4, 2, 1000));
            elapsed += await dialogue.Time.PassAsync(pause);
        }

        Assert.InRange(polls, 3600, 3640);
        await dialogue.Peer.AnswerAsync("guest-exec-status", Ended);
        Assert.Equal("hello", (await waiting.OrHang()).StandardOutput);
    }

    [Fact]
    public async Task It_is_asked_soon_too_where_the_operation_has_done_much_before()
    {
        using var dialogue = await Dialogue.StartAsync();
        var time = new OperationTime(dialogue.Session.Clock, Unlimited);
        dialogue.Time.Advance(TimeSpan.FromHours(1));
        var waiting = new GuestProcess(dialogue.Session, 5).WaitForStatusAsync(time, TestContext.Current.CancellationToken);
        await dialogue.Peer.AnswerAsync("guest-exec-status", Running);
        await dialogue.Time.PassAsync(TimeSpan.FromMilliseconds(2));
        await dialogue.Peer.AnswerAsync("guest-exec-status", Ended);
        Assert.True((await waiting.OrHang()).HasExited);
    }

    [Fact]
    public async Task Waiting_ends_when_its_time_is_over()
    {
        using var dialogue = await Dialogue.StartAsync();
        var waiting = new GuestProcess(dialogue.Session, 5).WaitAsync(
            new CallOptions { Timeout = TimeSpan.FromMilliseconds(3) }, TestContext.Current.CancellationToken);
        await dialogue.Peer.AnswerAsync("guest-exec-status", Running);
        await dialogue.Time.PassAsync(TimeSpan.FromMilliseconds(2));
        await dialogue.Peer.AnswerAsync("guest-exec-status", Running);
        await dialogue.Time.PassAsync(TimeSpan.FromMilliseconds(1));
        await dialogue.Peer.AnswerAsync("guest-exec-status", Running);
        var error = await waiting.FailsWith(ErrorCatalogue.ProcessTimedOut);
        Assert.Equal(5L, error.Target);
        await dialogue.IsInSyncAsync();
    }

    [Fact]
    public async Task Who_waits_behind_another_s_question_waits_for_its_own_time_only()
    {
        using var dialogue = await Dialogue.StartAsync();
        var process = new GuestProcess(dialogue.Session, 5);
        var first = process.RefreshAsync(Unlimited, TestContext.Current.CancellationToken);
        var request = await dialogue.Peer.ReadAsync();
        var second = process.RefreshAsync(new CallOptions { Timeout = TimeSpan.FromSeconds(2) }, TestContext.Current.CancellationToken);
        dialogue.Time.Advance(TimeSpan.FromSeconds(3));
        await second.FailsWith(ErrorCatalogue.SessionBusy);
        dialogue.Peer.Write(Return(request, Ended));
        Assert.Equal("hello", (await first.OrHang())!.StandardOutput);
    }

    [Fact]
    public async Task A_late_end_is_taken_and_not_asked_for_again()
    {
        using var dialogue = await Dialogue.StartAsync();
        var process = new GuestProcess(dialogue.Session, 5);
        var late = Return(await TimeOutAsync(dialogue, process), Ended);
        var asking = Ask(process);
        dialogue.Peer.Write(late);
        await dialogue.Peer.AnswerSyncAsync();
        var result = (await asking.OrHang())!;
        Assert.Equal((3, "hello"), (result.ExitCode!.Value, result.StandardOutput));
        await dialogue.IsInSyncAsync();
    }

    [Fact]
    public async Task After_a_late_reply_that_told_no_end_it_is_asked_again()
    {
        using var dialogue = await Dialogue.StartAsync();
        var process = new GuestProcess(dialogue.Session, 5);
        var late = Return(await TimeOutAsync(dialogue, process), Running);
        var asking = Ask(process);
        dialogue.Peer.Write(late);
        await dialogue.Peer.AnswerSyncAsync();
        Assert.Null(await asking.OrHang());
        asking = Ask(process);
        await dialogue.Peer.AnswerAsync("guest-exec-status", Ended);
        Assert.Equal("hello", (await asking.OrHang())!.StandardOutput);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_end_that_was_lost_is_said_to_be_lost(bool ids)
    {
        using var dialogue = await Dialogue.StartAsync(ids);
        var process = new GuestProcess(dialogue.Session, 5);
        await TimeOutAsync(dialogue, process);
        var asking = Ask(process);
        await dialogue.Peer.AnswerSyncAsync(ids);
        dialogue.Peer.Write(Error(await dialogue.Peer.ReadAsync(), "PID ld does not exist"));
        await asking.FailsWith(ErrorCatalogue.ProcessOutputLost);
    }

    [Theory]
    [InlineData("5")]
    [InlineData("""{"exited": true, "exitcode": 0, "out-data": "%%%"}""")]
    public async Task A_late_reply_that_cannot_be_read_is_as_good_as_lost(string nonsense)
    {
        using var dialogue = await Dialogue.StartAsync();
        var process = new GuestProcess(dialogue.Session, 5);
        var late = Return(await TimeOutAsync(dialogue, process), nonsense);
        var asking = Ask(process);
        dialogue.Peer.Write(late);
        await dialogue.Peer.AnswerSyncAsync();
        dialogue.Peer.Write(Error(await dialogue.Peer.ReadAsync(), "PID ld does not exist"));
        await asking.FailsWith(ErrorCatalogue.ProcessOutputLost);
    }

    [Fact]
    public async Task A_reply_that_cannot_be_read_loses_the_end_as_well()
    {
        using var dialogue = await Dialogue.StartAsync();
        var process = new GuestProcess(dialogue.Session, 5);
        var asking = Ask(process);
        await dialogue.Peer.AnswerAsync("guest-exec-status", """{"exited": true, "exitcode": 0, "out-data": "%%%"}""");
        await asking.FailsWith(ErrorCatalogue.ReplyUnexpected);
        asking = Ask(process);
        dialogue.Peer.Write(Error(await dialogue.Peer.ReadAsync(), "PID ld does not exist"));
        await asking.FailsWith(ErrorCatalogue.ProcessOutputLost);
    }

    [Theory]
    [InlineData("""{"exited": true, "exitcode": 1099511627776}""")]
    [InlineData("""{"exited": true, "exitcode": 9223372036854775807}""")]
    [InlineData("""{"exited": true, "exitcode": 1.5}""")]
    [InlineData("""{"exited": true, "exitcode": "0"}""")]
    [InlineData("""{"exited": true, "signal": 1e400}""")]
    [InlineData("""{"exited": "yes"}""")]
    [InlineData("""{}""")]
    public async Task A_number_that_does_not_fit_is_no_end(string reply)
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = Ask(new GuestProcess(dialogue.Session, 5));
        await dialogue.Peer.AnswerAsync("guest-exec-status", reply);
        await asking.FailsWith(ErrorCatalogue.ReplyUnexpected);
    }

    [Theory]
    [InlineData("1.5")]
    [InlineData("-1")]
    [InlineData("1e400")]
    [InlineData("\"7\"")]
    public async Task A_process_id_that_does_not_fit_starts_nothing(string id)
    {
        using var dialogue = await Dialogue.StartAsync();
        var starting = GuestProcess.StartAsync(
            dialogue.Session, new GuestProcessStart("/bin/true"), cancellationToken: TestContext.Current.CancellationToken);
        await dialogue.Peer.AnswerAsync("guest-get-osinfo", """{"id":"mswindows"}""");
        await dialogue.Peer.AnswerAsync("guest-exec", $"{{\"pid\": {id}}}");
        await starting.FailsWith(ErrorCatalogue.ReplyUnexpected);
    }

    [Fact]
    public async Task A_process_that_the_agent_does_not_know_is_unknown()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = Ask(new GuestProcess(dialogue.Session, 5));
        dialogue.Peer.Write(Error(await dialogue.Peer.ReadAsync(), "PID ld does not exist"));
        await asking.FailsWith(ErrorCatalogue.ProcessUnknown);
    }

    [Fact]
    public async Task A_silent_agent_ends_the_wait_although_that_has_no_limit()
    {
        using var dialogue = await Dialogue.StartAsync();
        var waiting = new GuestProcess(dialogue.Session, 5).WaitAsync(Unlimited, TestContext.Current.CancellationToken);
        await dialogue.Peer.ReadAsync();
        dialogue.Time.Advance(TimeSpan.FromSeconds(60));
        await waiting.FailsWith(ErrorCatalogue.CommandTimedOut);
    }

    [Theory]
    [InlineData("""{"exited": true, "exitcode": 3221225786}""", -1073741510, null, false)]
    [InlineData("""{"exited": true, "exitcode": -1073741819}""", -1073741819, null, false)]
    [InlineData("""{"exited": true, "signal": 9}""", null, 9, false)]

    // Windows' agent: exit codes from 0xC0000000 on.
    [InlineData("""{"exited": true, "signal": -1073741819}""", -1073741819, null, false)]
    [InlineData("""{"exited": true, "signal": 3221225477}""", -1073741819, null, false)]
    [InlineData("""{"exited": true, "signal": -1}""", -1, null, false)]
    [InlineData("""{"exited": true, "exitcode": 0, "out-data": "YQ==", "out-truncated": true}""", 0, null, true)]
    [InlineData("""{"exited": true, "exitcode": 0, "err-data": "YQ==", "err-truncated": true}""", 0, null, true)]
    [InlineData("""{"exited": true, "exitcode": 0, "out-data": "YQ==", "out-truncated": false}""", 0, null, false)]
    public async Task What_the_agent_tells_arrives(string reply, int? exitCode, int? signal, bool isTruncated)
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = Ask(new GuestProcess(dialogue.Session, 5));
        await dialogue.Peer.AnswerAsync("guest-exec-status", reply);
        var result = (await asking.OrHang())!;
        Assert.Equal((exitCode, signal, isTruncated), (result.ExitCode, result.Signal, result.Truncated));
    }

    [Theory]
    [InlineData("PATH=/bin;A=1;Path=x", "PATH=/usr/bin;HOME=/", "A=1;Path=x;PATH=/usr/bin;HOME=/")]
    [InlineData("A=1;B==x=", "A=", "B==x=")]
    public void An_environment_is_merged_by_name(string current, string changes, string expected)
    {
        var merged = PosixPlatform.Merge(
            current.Split(';'),
            changes.Split(';').Select(c => c.Split('=')).ToDictionary(c => c[0], c => c[1].Length > 0 ? c[1] : null));
        Assert.Equal(expected, string.Join(";", merged));
    }

    private static Task<GuestProcessResult?> Ask(GuestProcess process) =>
        process.RefreshAsync(null, TestContext.Current.CancellationToken);

    private static async Task<PeerRequest> TimeOutAsync(Dialogue dialogue, GuestProcess process)
    {
        var asking = Ask(process);
        var request = await dialogue.Peer.ReadAsync();
        Assert.Equal("guest-exec-status", request.Command);
        Assert.Equal(5, request.Arguments.GetProperty("pid").GetInt64());
        dialogue.Time.Advance(Dialogue.CallTime);
        await asking.FailsWith(ErrorCatalogue.CommandTimedOut);
        return request;
    }
}
