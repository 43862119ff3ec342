using System.Text.Json;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Endpoints.Libvirt;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Operations.Freezing;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Contract;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;
using QemuGuestAgent.Core.Tests.Session;
using QemuGuestAgent.Core.Wire;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Endpoints.Libvirt;

/// <summary>A session by way of libvirt, with the errors that libvirt 9.0 was seen to give.</summary>
public sealed class LibvirtEndpointTests : IDisposable
{
    private readonly FakeLibvirt _libvirt = new();

    public void Dispose() => _libvirt.Dispose();

    [Theory]
    [InlineData("libvirt:web1", "web1", null)]
    [InlineData("libvirt:web 1", "web 1", null)]
    [InlineData("libvirt+qemu:///system?domain=web1", "web1", "qemu:///system")]
    [InlineData("libvirt+qemu+ssh://root@host:22/system?domain=web%201", "web 1", "qemu+ssh://root@host:22/system")]
    [InlineData("libvirt+qemu+unix:///session?socket=/run/s&domain=w&mode=direct", "w", "qemu+unix:///session?socket=/run/s&mode=direct")]
    public void A_domain_is_named_alone_or_with_a_URI(string text, string domain, string? uri)
    {
        var endpoint = (LibvirtEndpoint)EndpointGrammar.Default.Parse(text);
        Assert.Equal((domain, uri), (endpoint.Domain, endpoint.HypervisorUri));
        var again = (LibvirtEndpoint)EndpointGrammar.Default.Parse(endpoint.ToString());
        Assert.Equal((domain, uri), (again.Domain, again.HypervisorUri));
    }

    [Theory]
    [InlineData("libvirt:")]
    [InlineData("libvirt:a/b")]
    [InlineData("libvirt+qemu:///system")]
    [InlineData("libvirt+qemu:///system?domain=")]
    [InlineData("libvirt+qemu:web1")]
    public void What_is_malformed_is_met_with_the_syntax(string text) =>
        Assert.Throws<GuestAgentException>(() => EndpointGrammar.Default.Parse(text)).ShouldBe(ErrorCatalogue.EndpointMalformed);

    [Fact]
    public void A_URI_stands_behind_libvirt_only() =>
        Assert.Throws<GuestAgentException>(() => EndpointGrammar.Default.Parse("tcp+qemu://host:1")).ShouldBe(ErrorCatalogue.EndpointKindUnknown);

    [Fact]
    public async Task A_session_works_and_gives_everything_back()
    {
        using (var session = await _libvirt.Endpoint.Connect())
        {
            Assert.Equal(GuestAgentSessionState.Ready, session.State);
            Assert.True(session.EchoesRequestIds);
            Assert.Equal("{}", (await session.Ask("guest-ping")).GetRawText());
            Assert.False(session.Agent!.Commands[AgentPeer.BlockedCommand].Enabled);
            await session.Sync();
            Assert.Equal(1, _libvirt.OpenHandles);
        }

        await Poll.UntilAsync(() => _libvirt.OpenHandles == 0, "the domain to be given back");
        Assert.Equal([(null, false)], _libvirt.Connects);
    }

    [Fact]
    public async Task Neither_ids_nor_the_session_s_sync_reach_the_agent()
    {
        using var session = await _libvirt.Endpoint.Connect();
        await session.Ask(Request("guest-sync", new { id = 7 }));
        Assert.Equal(
            ["""{"execute":"guest-info"}""", """{"execute":"guest-sync","arguments":{"id":7}}"""], _libvirt.Commands.Select(sent => sent.Command));
    }

    [Fact]
    public async Task The_time_of_a_call_is_passed_on()
    {
        using var session = await _libvirt.Endpoint.Connect(call: new CallOptions { Timeout = TimeSpan.FromSeconds(7.5) });
        await session.Ask("guest-ping", new CallOptions { Timeout = TimeSpan.FromSeconds(100) });
        await session.Ask("guest-ping", new CallOptions { Timeout = TimeSpan.Zero });
        Assert.Equal([9, 101, -2], _libvirt.Commands.Select(sent => sent.Seconds));
    }

    [Fact]
    public async Task Errors_of_the_agent_are_its_own_again()
    {
        using var session = await _libvirt.Endpoint.Connect();
        await session.Ask("guest-nonsense").FailsWith(ErrorCatalogue.CommandNotFound);
        await session.Ask(AgentPeer.BlockedCommand).FailsWith(ErrorCatalogue.CommandDisabled);
        var error = await session.Ask(Request("guest-file-open", new { path = "/no: 'such' \"file\"" })).FailsWith(ErrorCatalogue.AgentError);
        Assert.Equal("GenericError", error.AgentErrorClass);
        Assert.Contains("No such file or directory", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("internal error", error.Message, StringComparison.Ordinal);
        Assert.Equal(GuestAgentSessionState.Ready, session.State);
    }

    [Theory]
    [InlineData("Command {0} has been disabled: the command is not allowed")]
    [InlineData("Command {0} has been disabled: the agent is in frozen state")]
    [InlineData("The command {0} has been disabled for this instance")]
    public async Task A_refusal_is_known_by_the_words_of_all_agents(string words)
    {
        using var session = await _libvirt.Endpoint.Connect();
        _libvirt.CommandError = command => command != "guest-get-time" ? null : new LibvirtException(
            LibvirtError.Internal, $"erreur interne : impossible d'exécuter « '{command}': {string.Format(null, words, command)}");
        await session.Ask("guest-get-time").FailsWith(ErrorCatalogue.CommandDisabled);
    }

    [Theory]
    [InlineData(86, "Guest agent is not responding: QEMU guest agent is not connected")]
    [InlineData(86, "Guest agent is not responding: Guest agent not available for now")]
    [InlineData(86, "Guest agent is not responding: QEMU guest agent is not available due to an error")]
    [InlineData(97, "guest agent replied with wrong id")]
    [InlineData(112, "guest agent didn't respond to command within '5' seconds")]
    [InlineData(68, "Timed out during operation: cannot acquire state change lock")]
    [InlineData(55, "Requested operation is not valid: domain is not running")]
    public async Task An_agent_that_does_not_answer_is_silent_and_the_session_goes_on(int code, string text)
    {
        using var session = await _libvirt.Endpoint.Connect();
        _libvirt.CommandError = _ => new LibvirtException((LibvirtError)code, text);
        var error = await session.Ask("guest-ping").FailsWith(ErrorCatalogue.LibvirtAgentSilent);
        Assert.Contains(text, error.Message, StringComparison.Ordinal);
        await session.Sync().FailsWith(ErrorCatalogue.LibvirtAgentSilent);
        await _libvirt.Endpoint.Connect().FailsWith(ErrorCatalogue.LibvirtAgentSilent);
        _libvirt.CommandError = _ => null;
        await session.Ask("guest-ping");
    }

    [Fact]
    public async Task A_guest_is_thawed_where_libvirt_has_lost_the_answer_to_its_freeze()
    {
        var agent = new EmbeddedGuestAgent();
        using var libvirt = new FakeLibvirt(agent.Connect());
        using var session = await libvirt.Endpoint.Connect();
        libvirt.AnswerError = command => command == "guest-fsfreeze-freeze"
            ? new LibvirtException(LibvirtError.AgentUnresponsive, "Guest agent is not responding: Guest agent disappeared while executing command")
            : null;
        var scope = new FreezeScope([session]);
        Assert.Empty(await scope.FreezeAsync(CancellationToken.None).OrHang());
        Assert.True(agent.IsFrozen);
        Assert.Equal(FreezeResult.Consistent, Assert.Single(await scope.ThawAsync(hasSucceeded: true).OrHang()).Result);
        Assert.False(agent.IsFrozen);
    }

    [Fact]
    public async Task An_argument_may_be_nested_deep()
    {
        object value = 1L;
        for (var depth = 0; depth < 100; depth++)
        {
            value = new object[] { value };
        }

        using var session = await _libvirt.Endpoint.Connect();
        var arguments = new Dictionary<string, object> { ["x"] = value };
        await session.Ask(new GuestAgentRequest("guest-nonsense", ArgumentWriter.Prepare("guest-nonsense", arguments)))
            .FailsWith(ErrorCatalogue.CommandNotFound);
        await session.Ask("guest-ping");
    }

    [Fact]
    public async Task What_libvirt_s_library_fails_with_otherwise_is_told_and_not_waited_out()
    {
        using var session = await _libvirt.Endpoint.Connect();
        _libvirt.CommandError = _ => new EntryPointNotFoundException("virDomainQemuAgentCommand");
        var error = await session.Ask("guest-ping").FailsWith(ErrorCatalogue.ConnectionLost);
        Assert.Contains("virDomainQemuAgentCommand", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_domain_without_the_channel_is_told_how_to_get_it()
    {
        _libvirt.CommandError = _ => new LibvirtException(LibvirtError.ArgumentUnsupported, "argument unsupported: QEMU guest agent is not configured");
        var error = await _libvirt.Endpoint.Connect().FailsWith(ErrorCatalogue.LibvirtChannelMissing);
        Assert.Contains("org.qemu.guest_agent.0", error.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_libvirt_does_not_pass_on_is_refused_before_it_breaks_the_channel()
    {
        using var session = await _libvirt.Endpoint.Connect();
        var sent = _libvirt.Commands.Count;
        await session.Ask(Request("guest-file-read", new { handle = 1, count = 3_000_001 })).FailsWith(ErrorCatalogue.LibvirtMessageTooLong);
        await session.Ask(Request("guest-file-open", new { path = new string('x', 4 << 20) })).FailsWith(ErrorCatalogue.LibvirtMessageTooLong);
        Assert.Equal(sent, _libvirt.Commands.Count);
        _libvirt.CommandError = _ => new LibvirtException(LibvirtError.Rpc, "Unable to encode message payload");
        await session.Ask("guest-exec-status").FailsWith(ErrorCatalogue.LibvirtMessageTooLong);
        Assert.Equal(GuestAgentSessionState.Ready, session.State);
    }

    [Fact]
    public async Task A_domain_that_ends_is_lost_and_connected_to_again()
    {
        using var session = await _libvirt.Endpoint.Connect();
        _libvirt.IsActive = false;
        _libvirt.CommandError = _ => new LibvirtException(LibvirtError.OperationInvalid, "Requested operation is not valid: domain is not running");
        await session.Ask("guest-ping").FailsWith(ErrorCatalogue.ConnectionLost);
        Assert.Equal(GuestAgentSessionState.Faulted, session.State);
        await session.Sync().FailsWith(ErrorCatalogue.EndpointRefused);
        (_libvirt.IsActive, _libvirt.CommandError) = (true, _ => null);
        await session.Sync();
        await session.Ask("guest-ping");
    }

    [Fact]
    public async Task A_guest_that_goes_down_as_it_was_told_is_a_success()
    {
        using var session = await _libvirt.Endpoint.Connect();
        _libvirt.CommandError = command => command == "guest-shutdown"
            ? new LibvirtException(LibvirtError.AgentUnresponsive, "Guest agent is not responding: Guest agent not available for now") : null;
        await session.Ask("guest-shutdown").OrHang();
        Assert.Equal(5, _libvirt.Commands.Single(sent => sent.Command.Contains("guest-shutdown", StringComparison.Ordinal)).Seconds);
    }

    [Fact]
    public async Task What_is_given_up_is_not_taken_for_the_answer_to_what_follows()
    {
        using var session = await _libvirt.Endpoint.Connect();
        using var impatience = new CancellationTokenSource();
        _libvirt.Answering.Reset();
        var asking = session.AskUntil(Request("guest-sync", new { id = 1 }), impatience.Token);
        await Poll.UntilAsync(() => _libvirt.Commands.Count == 2, "the command to be sent");
        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking.OrHang());
        var next = session.Ask(Request("guest-sync", new { id = 2 }));
        _libvirt.Answering.Set();
        Assert.Equal(2, (await next.OrHang()).GetInt64());
        Assert.Equal(1, session.LastSync!.RepliesDiscarded);
    }

    [Fact]
    public async Task Long_output_is_read_by_pieces()
    {
        await using var agent = await ListeningAgent.StartAsync(RealAgentBinary.Installed());
        using var libvirt = new FakeLibvirt(await agent.Endpoint.OpenAsync());
        using var session = await libvirt.Endpoint.Connect();
        var program = new GuestProcessStart("/bin/sh") { Arguments = ["-c", "seq 200000; echo end >&2; exit 3"] };
        var result = await GuestProcess.RunAsync(session, program, cancellationToken: CancellationToken.None).OrHang();
        Assert.Equal(string.Concat(Enumerable.Range(1, 200_000).Select(number => $"{number}\n")), result.StandardOutput);
        Assert.Equal(("end\n", 3, false), (result.StandardError, result.ExitCode, result.Truncated));
        Assert.Contains(libvirt.Commands, sent => sent.Command.Contains("guest-file-read", StringComparison.Ordinal));

        program = program with { Arguments = ["-c", "head -c 17000000 /dev/zero"] };
        result = await GuestProcess.RunAsync(session, program, cancellationToken: CancellationToken.None).OrHang();
        Assert.Equal((16 << 20, true), (result.StandardOutputBytes.Length, result.Truncated));
    }

    [Fact]
    public async Task A_domain_that_is_not_there_is_not_found() =>
        await new LibvirtEndpoint("nope", null, _libvirt).OpenAsync().FailsWith(ErrorCatalogue.EndpointNotFound);

    [Fact]
    public async Task A_domain_that_does_not_run_refuses()
    {
        _libvirt.IsActive = false;
        await _libvirt.Endpoint.OpenAsync().FailsWith(ErrorCatalogue.EndpointRefused);
        Assert.Equal(0, _libvirt.OpenHandles);
    }

    [Theory]
    [InlineData(38, 13, "EndpointAccessDenied")]
    [InlineData(45, -1, "EndpointAccessDenied")]
    [InlineData(38, 2, "LibvirtUnreachable")]
    [InlineData(5, -1, "LibvirtUnreachable")]
    public async Task A_libvirt_that_does_not_answer_says_why(int code, int systemError, string id)
    {
        const string reason = "Failed to connect socket to '/var/run/libvirt/libvirt-sock'";
        _libvirt.ConnectError = new LibvirtException((LibvirtError)code, reason, systemError);
        var error = await _libvirt.Endpoint.OpenAsync().FailsWith(ErrorCatalogue.All.Single(definition => definition.Id == id));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_platform_without_the_library_does_not_support_it() =>
        await new LibvirtEndpoint("vm", null, null).OpenAsync().FailsWith(ErrorCatalogue.EndpointNotSupported);

    [Fact]
    public async Task The_library_itself_is_asked_or_said_to_be_missing()
    {
        // No libvirt listens there: with the library it is unreachable, without it not supported.
        var error = await Assert.ThrowsAsync<GuestAgentException>(
            () => new LibvirtEndpoint("vm", "qemu+unix:///session?socket=/no/such/socket").OpenAsync());
        Assert.Contains(error.ErrorId, new[] { ErrorCatalogue.LibvirtUnreachable.Id, ErrorCatalogue.EndpointNotSupported.Id });
        Assert.NotEmpty(error.RecommendedAction);
    }

    private static GuestAgentRequest Request(string command, object arguments) =>
        new(command, ArgumentWriter.Prepare(command, JsonSerializer.SerializeToElement(arguments).EnumerateObject()
            .ToDictionary(member => member.Name, member => member.Value.ValueKind == JsonValueKind.Number
                ? member.Value.GetInt64() : (object?)member.Value.GetString())));
}
