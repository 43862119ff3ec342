using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Freezing;
using QemuGuestAgent.Core.Operations.Health;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Operations.Health;

/// <summary>Agents are waited for, and examined.</summary>
public sealed class AgentReadinessTests
{
    private static readonly CallOptions Soon = new() { Timeout = TimeSpan.FromSeconds(60) };
    private static readonly CallOptions Briefly = new() { Timeout = TimeSpan.FromMilliseconds(300) };

    private static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_endpoint_that_is_not_there_yet_is_opened_until_it_is()
    {
        var agent = new EmbeddedGuestAgent();
        var endpoint = new LateEndpoint(agent, ErrorCatalogue.EndpointNotFound, ErrorCatalogue.EndpointRefused, ErrorCatalogue.EndpointBacklogFull);
        using var session = await AgentReadiness.WaitAsync(endpoint, null, Soon, TestEnd).OrHang();
        Assert.Equal(GuestAgentSessionState.Ready, session.State);
        Assert.Equal(4, endpoint.Opens);
    }

    [Fact]
    public async Task What_waiting_cannot_mend_is_an_error_at_once()
    {
        var endpoint = new LateEndpoint(new EmbeddedGuestAgent(), ErrorCatalogue.EndpointAccessDenied);
        await AgentReadiness.WaitAsync(endpoint, null, new() { Timeout = TimeSpan.Zero }, TestEnd)
            .FailsWith(ErrorCatalogue.EndpointAccessDenied);
    }

    [Fact]
    public async Task An_agent_that_comes_late_is_asked_again_on_a_new_channel()
    {
        var agent = new EmbeddedGuestAgent();
        agent.Kill();
        var endpoint = new LateEndpoint(agent);
        var waiting = AgentReadiness.WaitAsync(endpoint, null, Soon, TestEnd);
        Assert.True(SpinWait.SpinUntil(() => endpoint.Opens == 2, TimeSpan.FromSeconds(60)));
        agent.Start();
        using var session = await waiting.OrHang();
        Assert.Equal(GuestAgentSessionState.Ready, session.State);
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("ipv4", true)]
    [InlineData("ipv6", false)]
    public async Task A_guest_is_reachable_by_an_address_that_is_not_its_own_only(string? family, bool isReachable)
    {
        using var dialogue = await Dialogue.StartAsync();
        var second = TimeSpan.FromSeconds(1);
        var waiting = dialogue.Session.WaitForAddressAsync(family, new() { Timeout = 1.5 * second }, TestEnd);
        const string own = """{"name":"lo","ip-addresses":[{"ip-address":"127.0.0.1","ip-address-type":"ipv4","prefix":8}]},"""
            + """{"name":"docker0","ip-addresses":[{"ip-address":"172.17.0.1","ip-address-type":"ipv4","prefix":16}]},"""
            + """{"name":"eth0","ip-addresses":[{"ip-address":"fe80::1","ip-address-type":"ipv6","prefix":64}""";
        await dialogue.Peer.AnswerAsync("guest-network-get-interfaces", $"[{own}]}}]");
        await dialogue.Time.PassAsync(second);
        if (isReachable)
        {
            await dialogue.Peer.AnswerAsync(
                "guest-network-get-interfaces", $$"""[{{own}},{"ip-address":"192.0.2.7","ip-address-type":"ipv4","prefix":24}]}]""");
            await waiting.OrHang();
        }
        else
        {
            await dialogue.Peer.AnswerAsync("guest-network-get-interfaces", $"[{own}]}}]");
            await dialogue.Time.PassAsync(0.5 * second);
            var error = await waiting.FailsWith(ErrorCatalogue.AddressNotSeen);
            Assert.Contains("did not get an ipv6 address", error.Message, StringComparison.Ordinal);
            Assert.Contains("172.17.0.1", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_session_is_ready_when_its_agent_is()
    {
        using var guest = await FrozenGuest.StartAsync();
        guest.Cut();
        await guest.Session.WaitUntilReadyAsync(Soon, TestEnd).OrHang();
        Assert.Equal(GuestAgentSessionState.Ready, guest.Session.State);
    }

    [Fact]
    public async Task When_the_time_is_over_the_last_reason_is_told()
    {
        using var guest = await FrozenGuest.StartAsync();
        guest.Agent.Kill();
        var error = await guest.Session.WaitUntilReadyAsync(Briefly, TestEnd).FailsWith(ErrorCatalogue.AgentNotReady);
        Assert.Contains("guest-sync-delimited", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_last_attempt_that_is_cut_short_does_not_hide_the_reason_before()
    {
        var agent = new EmbeddedGuestAgent();
        agent.Kill();
        var endpoint = new LateEndpoint(agent, ErrorCatalogue.EndpointNotFound);
        var error = await AgentReadiness.WaitAsync(endpoint, null, Briefly, TestEnd).FailsWith(ErrorCatalogue.AgentNotReady);
        Assert.Contains("does not exist", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_closed_session_is_not_waited_for()
    {
        using var guest = await FrozenGuest.StartAsync();
        guest.Session.Dispose();
        await guest.Session.WaitUntilReadyAsync(Soon, TestEnd).FailsWith(ErrorCatalogue.SessionClosed);
    }

    [Fact]
    public async Task A_ready_agent_has_a_round_trip_a_version_and_disabled_commands()
    {
        using var guest = await FrozenGuest.StartAsync(new() { BlockedCommands = ["guest-get-users", "guest-exec"] });
        var health = await AgentHealth.ExamineAsync(guest.Session, Soon, TestEnd);
        Assert.Equal((AgentVerdict.Ready, "11.1.0", null), (health.Verdict, health.AgentVersion, health.Error));
        Assert.Equal(["guest-exec", "guest-get-users"], health.DisabledCommands);
        Assert.InRange(health.RoundTrip!.Value, TimeSpan.FromTicks(1), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_frozen_guest_is_told_as_such_and_found_on_connecting()
    {
        using var guest = await FrozenGuest.StartAsync();
        Assert.False(await guest.Session.IsFoundFrozenAsync(null, TestEnd));
        Assert.DoesNotContain("guest-fsfreeze-status", guest.Agent.Requests);
        await guest.Session.InvokeAsync(new GuestAgentRequest("guest-fsfreeze-freeze"), cancellationToken: TestEnd);
        Assert.True(guest.Session.IsFrozen);

        guest.Session.Dispose();
        using var next = await GuestAgentSession.ConnectAsync(guest, cancellationToken: TestEnd);
        Assert.True(await next.IsFoundFrozenAsync(null, TestEnd));
        Assert.True(next.IsFrozen);
        var health = await AgentHealth.ExamineAsync(next, Soon, TestEnd);
        Assert.Equal(AgentVerdict.Frozen, health.Verdict);
        Assert.Empty(health.DisabledCommands);

        Assert.Null(await next.ThawAsync(null, TestEnd));
        Assert.False(guest.Agent.IsFrozen);
        Assert.False(next.IsFrozen);
    }

    [Fact]
    public async Task A_command_that_a_frozen_guest_refuses_shows_it_and_one_that_it_answers_too()
    {
        using var guest = await FrozenGuest.StartAsync();
        var freeze = guest.Agent;
        await guest.Session.InvokeAsync(new GuestAgentRequest("guest-fsfreeze-freeze"), cancellationToken: TestEnd);
        await guest.Session.InvokeAsync(new GuestAgentRequest("guest-get-time"), cancellationToken: TestEnd).FailsWith(ErrorCatalogue.GuestFrozen);
        Assert.True(guest.Session.IsFrozen);
        await guest.Session.InvokeAsync(new GuestAgentRequest("guest-fsfreeze-thaw"), cancellationToken: TestEnd);
        Assert.False(guest.Session.IsFrozen);
        Assert.False(freeze.IsFrozen);
    }

    [Fact]
    public async Task A_thaw_that_is_not_needed_changes_nothing()
    {
        using var guest = await FrozenGuest.StartAsync();
        Assert.Null(await guest.Session.ThawAsync(null, TestEnd));
    }

    [Fact]
    public async Task A_thaw_that_is_not_confirmed_is_an_error()
    {
        using var guest = await FrozenGuest.StartAsync();
        guest.Agent.Kill();
        await guest.Session.ThawAsync(Briefly, TestEnd).FailsWith(ErrorCatalogue.GuestLeftFrozen);
    }

    [Theory]
    [InlineData(nameof(ErrorCatalogue.EndpointRefused), AgentVerdict.NoListener)]
    [InlineData(nameof(ErrorCatalogue.EndpointNotFound), AgentVerdict.NoListener)]
    [InlineData(nameof(ErrorCatalogue.EndpointAccessDenied), AgentVerdict.NotPermitted)]
    [InlineData(nameof(ErrorCatalogue.EndpointBacklogFull), AgentVerdict.Busy)]
    [InlineData(nameof(ErrorCatalogue.EndpointNotSupported), AgentVerdict.Failed)]
    [InlineData(nameof(ErrorCatalogue.NotAnAgent), AgentVerdict.NotAnAgent)]
    [InlineData(nameof(ErrorCatalogue.EndpointEchoes), AgentVerdict.NotAnAgent)]
    [InlineData(nameof(ErrorCatalogue.ConnectionLost), AgentVerdict.NoListener)]
    public async Task An_endpoint_that_does_not_open_tells_why(string error, AgentVerdict verdict)
    {
        var definition = ErrorCatalogue.All.Single(definition => definition.Id == error);
        var health = await AgentHealth.ExamineAsync(new LateEndpoint(new EmbeddedGuestAgent(), definition), Soon, TestEnd);
        Assert.Equal((verdict, error), (health.Verdict, health.Error!.ErrorId));
    }

    [Theory]
    [InlineData("dead", AgentVerdict.Silent)]
    [InlineData("closed", AgentVerdict.Closed)]
    [InlineData("slow", AgentVerdict.Busy)]
    public async Task A_session_that_is_not_well_tells_why(string trouble, AgentVerdict verdict)
    {
        using var guest = await FrozenGuest.StartAsync(trouble == "slow" ? new() { CommandDelays = { ["guest-ping"] = TimeSpan.FromHours(1) } } : null);
        if (trouble == "dead")
        {
            guest.Agent.Kill();
        }

        if (trouble == "closed")
        {
            guest.Session.Dispose();
        }

        var health = await AgentHealth.ExamineAsync(guest.Session, Briefly, TestEnd);
        Assert.Equal(verdict, health.Verdict);
        Assert.Null(health.RoundTrip);
    }

    /// <summary>An endpoint whose first openings fail.</summary>
    private sealed class LateEndpoint(EmbeddedGuestAgent agent, params ErrorDefinition[] failures) : GuestAgentEndpoint
    {
        private int _opens;

        public int Opens => Volatile.Read(ref _opens);

        public override Task<Stream> OpenAsync(CancellationToken cancellationToken)
        {
            var number = Interlocked.Increment(ref _opens);
            return number <= failures.Length ? throw failures[number - 1].With(this, "so it is", "for the test") : Task.FromResult(agent.Connect());
        }

        public override string ToString() => "embedded:late";
    }
}
