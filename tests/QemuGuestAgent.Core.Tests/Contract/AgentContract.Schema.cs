using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Schema;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Tests.Contract;

// The table of commands against what the agents themselves say.
public abstract partial class AgentContract
{
    [Fact]
    public async Task Every_command_of_the_agent_is_in_the_schema_and_treated_as_the_agent_does()
    {
        using var session = await Peer.ConnectAsync();

        var commands = await session.GetCommandsAsync(cancellationToken: TestEnd);

        Assert.Equal(session.Agent!.Commands.Count, commands.Count);
        Assert.All(commands, command =>
        {
            Assert.True(command.IsKnown, command.Name);
            Assert.Equal(CommandSchema.Find(command.Name)!.SuccessResponse, command.SuccessResponse);
        });
        Assert.False(commands.Single(command => command.Name == AgentPeer.BlockedCommand).Enabled);
    }

    // A wrong argument is refused before anything is done, so that also commands that would act can be asked.
    [Fact]
    public async Task Every_command_of_the_schema_is_answered_as_guest_info_says()
    {
        using var session = await Peer.ConnectAsync();

        foreach (var command in CommandSchema.All)
        {
            var request = new GuestAgentRequest(command.Name, json => json.WriteRawValue("""{"no-such-argument": 1}"""));
            var error = await Assert.ThrowsAsync<GuestAgentException>(() => session.InvokeAsync(request, cancellationToken: TestEnd));
            session.Agent!.Commands.TryGetValue(command.Name, out var told);
            var expected = told is null ? ErrorCatalogue.CommandNotFound
                : told.Enabled ? ErrorCatalogue.AgentError
                : ErrorCatalogue.CommandDisabled;
            Assert.True(error.ErrorId == expected.Id, $"{command.Name}: {error.ErrorId}, {error.Message}");
        }
    }
}
