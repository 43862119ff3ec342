using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;
using static QemuGuestAgent.Core.Tests.Commands.Conversation;

namespace QemuGuestAgent.Core.Tests.Operations;

/// <summary>The agent may do a part only; what is left is followed up until the reason is known.</summary>
public sealed class OnlineSwitchingTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Processors_are_switched_by_one_request_where_all_goes_well() => Assert.Empty(await HoldAsync(
        session => session.SwitchProcessorsAsync([3, 1], online: true),
        ("guest-set-vcpus", """{"vcpus": [{"logical-id": 3, "online": true}, {"logical-id": 1, "online": true}]}""", "2")));

    [Fact]
    public async Task No_processors_are_no_request() =>
        Assert.Empty(await HoldAsync(session => session.SwitchProcessorsAsync([], online: true)));

    [Fact]
    public async Task The_tail_is_sent_again_until_the_reason_is_known_and_the_rest_is_switched()
    {
        var failures = await HoldAsync(
            session => session.SwitchProcessorsAsync([1, 0, 2, 3], online: false),
            ("guest-set-vcpus", Off(1, 0, 2, 3), "1"),
            ("guest-set-vcpus", Off(0, 2, 3), "!logical processor #0 can't be offlined"),
            ("guest-set-vcpus", Off(2, 3), "1"),
            ("guest-set-vcpus", Off(3), "!no such processor"));
        Assert.Equal([0UL, 3UL], failures.Select(failure => failure.Target));
        Assert.All(failures, failure => failure.ShouldBe(ErrorCatalogue.AgentError));
        Assert.Contains("#0 can't be offlined", failures[0].Message, StringComparison.Ordinal);
        Assert.Contains("no such processor", failures[1].Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("3")]
    [InlineData("-1")]
    [InlineData("\"two\"")]
    [InlineData("99999999999")]
    public async Task A_count_that_cannot_be_ends_it(string count)
    {
        using var dialogue = await Dialogue.StartAsync();
        var switching = dialogue.Session.SwitchProcessorsAsync([1, 2], online: false, cancellationToken: Stop);
        await dialogue.Peer.AnswerAsync("guest-set-vcpus", count);
        await switching.FailsWith(ErrorCatalogue.ReplyUnexpected);
        await dialogue.IsInSyncAsync();
    }

    [Fact]
    public async Task An_error_that_is_not_about_a_processor_ends_it()
    {
        using var dialogue = await Dialogue.StartAsync();
        var switching = dialogue.Session.SwitchProcessorsAsync([1, 2], online: false, cancellationToken: Stop);
        dialogue.Peer.Write(AgentScript.Error(await dialogue.Peer.ReadAsync(), "no", "CommandNotFound"));
        await switching.FailsWith(ErrorCatalogue.CommandNotFound);
        await dialogue.IsInSyncAsync();
    }

    [Fact]
    public async Task All_requests_together_have_the_time_of_the_call()
    {
        using var dialogue = await Dialogue.StartAsync();
        var switching = dialogue.Session.SwitchProcessorsAsync([1, 2], online: false, cancellationToken: Stop);
        var first = await dialogue.Peer.ReadAsync();
        dialogue.Time.Advance(Dialogue.CallTime - TimeSpan.FromSeconds(1));
        dialogue.Peer.Write(AgentScript.Return(first, "1"));
        await dialogue.Peer.ReadAsync();
        dialogue.Time.Advance(TimeSpan.FromSeconds(1));
        await switching.FailsWith(ErrorCatalogue.CommandTimedOut);
    }

    [Fact]
    public async Task Each_memory_block_has_its_own_result()
    {
        var failures = await HoldAsync(
            session => session.SwitchMemoryBlocksAsync([0, 18446744073709551615, 2, 3, 4], online: false),
            (
                "guest-set-memory-blocks",
                Blocks(0, 18446744073709551615, 2, 3, 4),
                """
                [{"phys-index": 0, "response": "operation-failed", "error-code": 16},
                {"phys-index": 18446744073709551615, "response": "not-found"},
                {"phys-index": 2, "response": "success"},
                {"phys-index": 3, "response": "who-knows"},
                {"phys-index": 4}]
                """));
        Assert.Equal([0UL, ulong.MaxValue, 3UL, 4UL], failures.Select(failure => failure.Target));
        Assert.Equal(
            ["operation-failed (errno 16).", "not-found.", "who-knows.", "no reason given."],
            failures.Select(
                failure => failure.ShouldBe(ErrorCatalogue.MemoryBlockUnchanged).Message.Split("was not taken offline: ")[1]));
    }

    [Fact]
    public async Task Blocks_left_unanswered_are_sent_again()
    {
        var failures = await HoldAsync(
            session => session.SwitchMemoryBlocksAsync([1, 2, 3], online: false),
            ("guest-set-memory-blocks", Blocks(1, 2, 3), """[{"phys-index": 1, "response": "success"}]"""),
            (
                "guest-set-memory-blocks",
                Blocks(2, 3),
                """[{"phys-index": 2, "response": "operation-not-supported"}, {"phys-index": 3, "response": "success"}]"""));
        Assert.Equal(2UL, Assert.Single(failures).Target);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("[{}, {}, {}]")]
    public async Task Results_that_cannot_be_end_it(string results)
    {
        using var dialogue = await Dialogue.StartAsync();
        var switching = dialogue.Session.SwitchMemoryBlocksAsync([1, 2], online: true, cancellationToken: Stop);
        await dialogue.Peer.AnswerAsync("guest-set-memory-blocks", results);
        await switching.FailsWith(ErrorCatalogue.ReplyUnexpected);
    }

    private static string Off(params ulong[] ids) => List("vcpus", "logical-id", ids);

    private static string Blocks(params ulong[] ids) => List("mem-blks", "phys-index", ids);

    private static string List(string list, string key, ulong[] ids) =>
        $$"""{"{{list}}": [{{string.Join(", ", ids.Select(id => $$"""{"{{key}}": {{id}}, "online": false}"""))}}]}""";
}
