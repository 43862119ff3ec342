using QemuGuestAgent.Core.Commands;

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
            Assert.Equal(CommandSchema.Find(command.Name)!.AnswersSuccess, command.SuccessResponse);
        });
        Assert.False(commands.Single(command => command.Name == AgentPeer.BlockedCommand).Enabled);
    }
}
