using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;
using QemuGuestAgent.EmbeddedAgent;
using static QemuGuestAgent.Core.Tests.Session.AgentScript;

namespace QemuGuestAgent.Core.Tests.Commands;

/// <summary>
/// A command that the agent lacks, that its policy forbids, or that the frozen guest refuses: the agent says the same of all.
/// </summary>
public sealed class RefusalTests
{
    [Theory]
    [InlineData("guest-get-load", "QEMU's own agent has it from version 10.0 on")]
    [InlineData("guest-nonsense", "(version 11.1.0) has no command 'guest-nonsense'.")]
    public async Task What_the_agent_does_not_list_it_lacks(string command, string part)
    {
        using var dialogue = await Dialogue.StartAsync();
        var error = await RefuseAsync(dialogue, command, ErrorCatalogue.CommandNotFound);
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
        await dialogue.IsInSyncAsync();
    }

    [Fact]
    public async Task What_it_lists_as_disabled_its_policy_forbids_and_nothing_more_is_asked()
    {
        using var dialogue = await Dialogue.StartAsync();
        await RefuseAsync(dialogue, "guest-exec", ErrorCatalogue.CommandDisabled);
        await dialogue.IsInSyncAsync();
    }

    [Theory]
    [InlineData("guest-ping")]
    [InlineData("guest-fsfreeze-thaw")]
    public async Task What_works_while_frozen_is_not_refused_because_of_that(string command)
    {
        using var dialogue = await Dialogue.StartAsync();
        await RefuseAsync(
            dialogue, command, command == "guest-ping" ? ErrorCatalogue.CommandDisabled : ErrorCatalogue.CommandNotFound);
        await dialogue.IsInSyncAsync();
    }

    [Theory]
    [InlineData("CommandNotFound", "\"frozen\"", "GuestFrozen")]
    [InlineData("CommandDisabled", "\"frozen\"", "GuestFrozen")]
    [InlineData("CommandNotFound", "\"thawed\"", "CommandDisabled")]
    [InlineData("CommandNotFound", "7", "CommandDisabled")]
    public async Task Of_what_it_allowed_the_session_asks_whether_the_guest_is_frozen(
        string errorClass, string status, string expected)
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Ask("guest-file-open");
        dialogue.Peer.Write(Error(await dialogue.Peer.ReadAsync(), "no", errorClass));
        await dialogue.Peer.AnswerAsync("guest-fsfreeze-status", status);

        var error = await asking.FailsWith(ErrorCatalogue.All.Single(e => e.Id == expected));

        Assert.Equal(errorClass, error.AgentErrorClass);
        Assert.Equal("guest-file-open", error.Target);
        await dialogue.IsInSyncAsync();
    }

    [Theory]
    [InlineData("guest-get-memory-blocks", "Only agents in Linux have it, none in Windows.")]
    [InlineData("guest-set-vcpus", "Only agents in Linux have it, none in Windows.")]
    [InlineData("guest-get-devices", "Only agents in Windows have it.")]
    public async Task A_command_of_one_system_is_said_to_be_so(string command, string text)
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Ask(command);
        dialogue.Peer.Write(Error(await dialogue.Peer.ReadAsync(), "no", "CommandNotFound"));
        Assert.EndsWith(text, (await asking.FailsWith(ErrorCatalogue.CommandNotFound)).Message, StringComparison.Ordinal);
        await dialogue.IsInSyncAsync();
    }

    [Fact]
    public async Task The_three_have_three_remedies()
    {
        using var dialogue = await Dialogue.StartAsync();
        var lacking = await RefuseAsync(dialogue, "guest-get-load", ErrorCatalogue.CommandNotFound);
        var disabled = await RefuseAsync(dialogue, "guest-exec", ErrorCatalogue.CommandDisabled);
        var asking = dialogue.Ask("guest-file-open");
        dialogue.Peer.Write(Error(await dialogue.Peer.ReadAsync(), "no", "CommandNotFound"));
        await dialogue.Peer.AnswerAsync("guest-fsfreeze-status", "\"frozen\"");
        var frozen = await asking.FailsWith(ErrorCatalogue.GuestFrozen);

        Assert.Contains("A newer qemu-guest-agent", lacking.RecommendedAction, StringComparison.Ordinal);
        Assert.Contains("allow-rpcs", disabled.RecommendedAction, StringComparison.Ordinal);
        Assert.Contains("Resume-QemuGuestFileSystem", frozen.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_agent_without_ids_is_asked_once_it_is_in_step_again()
    {
        using var dialogue = await Dialogue.StartAsync(ids: false);
        var asking = dialogue.Ask("guest-file-open");
        dialogue.Peer.Write(Error(await dialogue.Peer.ReadAsync(), "no", "CommandDisabled"));
        await dialogue.Peer.AnswerSyncAsync(ids: false);
        await dialogue.Peer.AnswerAsync("guest-fsfreeze-status", "\"frozen\"");
        await asking.FailsWith(ErrorCatalogue.GuestFrozen);
        await dialogue.IsInSyncAsync();
    }

    [Fact]
    public async Task A_command_without_reply_is_told_of_too()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Ask("guest-shutdown");
        await dialogue.Peer.AnswerSyncAsync();
        var shutdown = await dialogue.Peer.ReadAsync();
        var ping = await dialogue.Peer.ReadAsync();
        dialogue.Peer.Write(Error(shutdown, "no", "CommandNotFound") + Return(ping, "{}"));
        await dialogue.Peer.AnswerSyncAsync();
        await dialogue.Peer.AnswerAsync("guest-fsfreeze-status", "\"frozen\"");
        await asking.FailsWith(ErrorCatalogue.GuestFrozen);
    }

    [Fact]
    public async Task Where_the_question_is_refused_too_policy_it_is()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Ask("guest-file-open");
        dialogue.Peer.Write(Error(await dialogue.Peer.ReadAsync(), "no", "CommandNotFound"));
        dialogue.Peer.Write(Error(await dialogue.Peer.ReadAsync(), "no", "CommandNotFound"));
        await asking.FailsWith(ErrorCatalogue.CommandDisabled);
        await dialogue.IsInSyncAsync();
    }

    [Fact]
    public async Task Where_the_connection_ends_at_the_question_the_refusal_is_told_and_the_session_is_broken()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Ask("guest-file-open");
        dialogue.Peer.Write(Error(await dialogue.Peer.ReadAsync(), "no", "CommandNotFound"));
        await dialogue.Peer.ReadAsync();
        dialogue.Peer.Close();
        await asking.FailsWith(ErrorCatalogue.CommandDisabled);
        Assert.Equal(GuestAgentSessionState.Faulted, dialogue.Session.State);
    }

    [Fact]
    public async Task The_caller_may_give_up_at_the_question()
    {
        using var dialogue = await Dialogue.StartAsync();
        using var cancel = new CancellationTokenSource();
        var asking = dialogue.Session.AskUntil("guest-file-open", cancel.Token);
        dialogue.Peer.Write(Error(await dialogue.Peer.ReadAsync(), "no", "CommandNotFound"));
        await dialogue.Peer.ReadAsync();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking.OrHang());
        await dialogue.SynchronisesByItselfAsync();
    }

    [Fact]
    public async Task A_session_that_began_while_the_guest_was_frozen_knows_it()
    {
        var agent = new EmbeddedGuestAgent(new() { BlockedCommands = ["guest-exec"] });
        var endpoint = EmbeddedEndpoint.Register($"frozen-{Guid.NewGuid()}", agent);
        using (var first = await endpoint.Connect())
        {
            await first.Ask("guest-fsfreeze-freeze");
        }

        using var session = await endpoint.Connect();
        Assert.False(session.Agent!.Commands["guest-get-time"].Enabled);
        await session.Ask("guest-get-time").FailsWith(ErrorCatalogue.GuestFrozen);
        await session.Ask("guest-exec").FailsWith(ErrorCatalogue.GuestFrozen);
        await session.Ask("guest-fsfreeze-thaw");
        await session.Ask("guest-get-time");
        await session.Ask("guest-exec").FailsWith(ErrorCatalogue.CommandDisabled);
    }

    private static async Task<GuestAgentException> RefuseAsync(Dialogue dialogue, string command, ErrorDefinition expected)
    {
        var asking = dialogue.Ask(command);
        dialogue.Peer.Write(Error(await dialogue.Peer.ReadAsync(), "no", "CommandNotFound"));
        return await asking.FailsWith(expected);
    }
}
