using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Tests.Contract;

// What the agent refuses, and how the client says so. An error of the agent leaves the session in sync.
public abstract partial class AgentContract
{
    [Fact]
    public async Task An_unknown_command_is_reported_with_those_that_resemble_it()
    {
        using var session = await Peer.ConnectAsync();

        var error = await AssertRefusedAsync(session, "CommandNotFound", "guest-pin");

        Assert.Equal("CommandNotFound", error.AgentErrorClass);
        Assert.Equal("guest-pin", error.Target);
        Assert.Contains("'guest-ping'", error.Message);
        Assert.Contains(session.Agent!.Version, error.Message);
    }

    [Fact]
    public async Task A_command_that_policy_forbids_is_reported_as_disabled()
    {
        using var session = await Peer.ConnectAsync();

        var error = await AssertRefusedAsync(session, "CommandDisabled", AgentPeer.BlockedCommand);

        Assert.Equal(GuestAgentErrorCategory.NotEnabled, error.Category);
    }

    [Fact]
    public async Task An_argument_of_the_wrong_type_is_the_agent_s_error() =>
        await AssertAgentErrorAsync("path", "guest-file-open", new { path = 5 });

    [Fact]
    public async Task A_missing_argument_is_the_agent_s_error() => await AssertAgentErrorAsync("path", "guest-file-open");

    [Fact]
    public async Task An_unexpected_argument_is_the_agent_s_error() =>
        await AssertAgentErrorAsync("extra", "guest-ping", new { extra = 1 });

    [Fact]
    public async Task A_number_beyond_int64_is_the_agent_s_error() =>
        await AssertAgentErrorAsync("handle", "guest-file-close", new { handle = ulong.MaxValue });

    [Fact]
    public async Task Control_characters_in_the_agent_s_text_reach_no_terminal()
    {
        using var session = await Peer.ConnectAsync();
        var path = Peer.GuestPath("no such folder") + "/\u001b[31m\u202Efile";

        var error = await AssertRefusedAsync(session, "AgentError", "guest-file-open", new { path });

        Assert.DoesNotContain('\u001b', error.Message);
        Assert.DoesNotContain('\u202E', error.Message);
    }

    private async Task AssertAgentErrorAsync(string mentions, string command, object? arguments = null)
    {
        using var session = await Peer.ConnectAsync();

        var error = await AssertRefusedAsync(session, "AgentError", command, arguments);

        Assert.Equal("GenericError", error.AgentErrorClass);
        Assert.Contains($"'{mentions}'", error.Message);
    }

    private static async Task<GuestAgentException> AssertRefusedAsync(
        GuestAgentSession session, string errorId, string command, object? arguments = null)
    {
        var sync = session.LastSync;
        var error = await AssertFailsAsync(errorId, () => InvokeAsync(session, command, arguments));
        await AssertServesAsync(session);
        Assert.Same(sync, session.LastSync);
        return error;
    }
}
