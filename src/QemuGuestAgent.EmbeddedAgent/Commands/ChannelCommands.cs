using System.Text.Json.Nodes;

namespace QemuGuestAgent.EmbeddedAgent.Commands;

/// <summary>The commands about the channel and the agent itself.</summary>
internal static class ChannelCommands
{
    public static JsonNode? Sync(AgentContext agent, CommandArguments arguments)
    {
        var id = arguments.Integer("id");
        arguments.End();
        return id;
    }

    public static JsonNode? Ping(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        return new JsonObject();
    }

    public static JsonNode? Info(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        var commands = agent.Commands.Select(command => (JsonNode?)new JsonObject
        {
            ["enabled"] = agent.IsEnabled(command),
            ["name"] = command.Name,
            ["success-response"] = command.SuccessResponse,
        });
        return new JsonObject
        {
            ["version"] = agent.Options.Version,
            ["supported_commands"] = new JsonArray(commands.ToArray()),
        };
    }
}
