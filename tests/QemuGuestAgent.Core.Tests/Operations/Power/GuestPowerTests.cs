using System.Text.Json.Nodes;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Power;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Operations.Power;

/// <summary>Success is not answered: whether it has happened is seen by the channel.</summary>
public sealed class GuestPowerTests
{
    private static readonly CallOptions Soon = new() { Timeout = TimeSpan.FromSeconds(60) };
    private static readonly CallOptions Briefly = new() { Timeout = TimeSpan.FromMilliseconds(600) };

    private static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(GuestPowerChange.PowerOff, "guest-shutdown", "powerdown")]
    [InlineData(GuestPowerChange.Halt, "guest-shutdown", "halt")]
    [InlineData(GuestPowerChange.Restart, "guest-shutdown", "reboot")]
    [InlineData(GuestPowerChange.SuspendToDisk, "guest-suspend-disk", null)]
    [InlineData(GuestPowerChange.SuspendToMemory, "guest-suspend-ram", null)]
    [InlineData(GuestPowerChange.SuspendHybrid, "guest-suspend-hybrid", null)]
    public async Task Each_is_one_command_and_no_error_is_success(GuestPowerChange change, string command, string? mode)
    {
        using var dialogue = await Dialogue.StartAsync();
        var changing = dialogue.Session.ChangePowerAsync(change, cancellationToken: TestEnd);
        await dialogue.Peer.AnswerSyncAsync();
        var request = await dialogue.Peer.ReadAsync();
        Assert.Equal(command, request.Command);
        Assert.Equal(mode, (string?)JsonNode.Parse(request.Text)!["arguments"]?["mode"]);
        await dialogue.Peer.AnswerAsync("guest-ping", "{}");
        await changing.OrHang();
        await dialogue.SynchronisesByItselfAsync();
    }

    [Fact]
    public async Task An_error_is_an_error()
    {
        using var dialogue = await Dialogue.StartAsync();
        var changing = dialogue.Session.ChangePowerAsync(GuestPowerChange.SuspendToMemory, cancellationToken: TestEnd);
        await dialogue.Peer.AnswerSyncAsync();
        dialogue.Peer.Write(AgentScript.Error(await dialogue.Peer.ReadAsync(), "the requested suspend mode is not supported"));
        await changing.FailsWith(ErrorCatalogue.AgentError);
    }

    [Fact]
    public async Task An_error_that_comes_after_silence_was_taken_for_success_is_an_error_for_who_waits()
    {
        using var dialogue = await Dialogue.StartAsync();
        var changing = dialogue.Session.ChangePowerAsync(GuestPowerChange.SuspendToMemory, waits: true, cancellationToken: TestEnd);
        await dialogue.Peer.AnswerSyncAsync();
        var suspend = await dialogue.Peer.ReadAsync();
        var ping = await dialogue.Peer.ReadAsync();
        await dialogue.Time.PassAsync(new GuestAgentSessionOptions().NoReplyWait);
        var sync = await dialogue.Peer.ReadAsync();
        dialogue.Peer.Write(AgentScript.Error(suspend, "it does not sleep") + AgentScript.Return(ping, "{}") + AgentScript.Sync(sync));
        await dialogue.Peer.AnswerProbeAsync();
        var error = await changing.FailsWith(ErrorCatalogue.AgentError);
        Assert.Contains("it does not sleep", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(GuestPowerChange.PowerOff)]
    [InlineData(GuestPowerChange.SuspendToDisk)]
    public async Task Switched_off_is_seen_by_the_end_of_the_channel(GuestPowerChange change)
    {
        var (agent, session) = await ConnectAsync(new());
        await session.ChangePowerAsync(change, waits: true, Soon, TestEnd).OrHang();
        Assert.False(agent.IsRunning);
        Assert.Equal(GuestAgentSessionState.Faulted, session.State);
        agent.Start();
        await session.SynchronizeAsync(cancellationToken: TestEnd);
    }

    [Fact]
    public async Task Halted_is_seen_by_silence()
    {
        var (agent, session) = await ConnectAsync(new());
        await session.ChangePowerAsync(GuestPowerChange.Halt, waits: true, Soon, TestEnd).OrHang();
        Assert.False(agent.IsRunning);
        Assert.Equal(GuestAgentSessionState.OutOfSync, session.State);
    }

    [Theory]
    [InlineData(GuestPowerChange.SuspendToMemory)]
    [InlineData(GuestPowerChange.SuspendHybrid)]
    public async Task Asleep_is_seen_by_silence_and_awake_by_itself(GuestPowerChange change)
    {
        var clock = new WatchedTime();
        var (_, session) = await ConnectAsync(new() { BootDelay = TimeSpan.FromHours(1), TimeProvider = clock });
        await session.ChangePowerAsync(change, waits: true, Soon, TestEnd).OrHang();
        await clock.PassAsync(TimeSpan.FromHours(1));
        await session.SynchronizeAsync(cancellationToken: TestEnd);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Restarted_is_seen_when_the_agent_answers_after_it_was_away(bool ids)
    {
        var (agent, session) = await ConnectAsync(new() { EchoesRequestIds = ids, BootDelay = TimeSpan.FromSeconds(1) });
        await session.ChangePowerAsync(GuestPowerChange.Restart, waits: true, Soon, TestEnd).OrHang();
        Assert.Equal(GuestAgentSessionState.Ready, session.State);
        Assert.Equal("guest-info", agent.Requests[^1]);
    }

    [Fact]
    public async Task A_slow_agent_is_not_taken_for_one_that_is_back()
    {
        // Its answers take so long that it falls silent now and then; all come in the end.
        var (_, session) = await ConnectAsync(new()
        {
            Commands = { ["guest-shutdown"] = _ => new JsonObject() },
            CommandDelays = { ["guest-ping"] = TimeSpan.FromMilliseconds(400) },
        });
        var restarting = session.ChangePowerAsync(GuestPowerChange.Restart, waits: true, new() { Timeout = TimeSpan.FromSeconds(3) }, TestEnd);
        var error = await Assert.ThrowsAsync<GuestAgentException>(() => restarting.OrHang());
        Assert.Contains(error.ErrorId, new[] { ErrorCatalogue.PowerChangeNotSeen.Id, ErrorCatalogue.AgentNotReady.Id });
    }

    [Fact]
    public async Task What_does_not_happen_is_told_with_what_is_seen_instead()
    {
        // Long enough for a slow machine to see an answer.
        var enough = TimeSpan.FromSeconds(5);
        var (_, session) = await ConnectAsync(new() { Commands = { ["guest-shutdown"] = _ => new JsonObject() } }, enough);
        var error = await session.ChangePowerAsync(GuestPowerChange.PowerOff, waits: true, new() { Timeout = enough }, TestEnd)
            .FailsWith(ErrorCatalogue.PowerChangeNotSeen);
        Assert.Contains("its agent still answers", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_guest_that_does_not_come_back_is_told_as_such()
    {
        var (_, session) = await ConnectAsync(new() { BootDelay = TimeSpan.FromHours(1) });
        var error = await session.ChangePowerAsync(GuestPowerChange.Restart, waits: true, Briefly, TestEnd)
            .FailsWith(ErrorCatalogue.AgentNotReady);
        Assert.Contains("is silent", error.Message, StringComparison.Ordinal);
    }

    private static async Task<(EmbeddedGuestAgent Agent, GuestAgentSession Session)> ConnectAsync(
        EmbeddedGuestAgentOptions options, TimeSpan? patience = null)
    {
        var agent = new EmbeddedGuestAgent(options);
        var session = await GuestAgentSession.ConnectAsync(
            EmbeddedEndpoint.Register($"power-{Guid.NewGuid()}", agent), new() { NoReplyWait = patience ?? TimeSpan.FromMilliseconds(200) },
            cancellationToken: TestEnd);
        return (agent, session);
    }
}
