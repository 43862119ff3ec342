using System.Text.Json.Nodes;
using QemuGuestAgent.EmbeddedAgent.Guest;

namespace QemuGuestAgent.EmbeddedAgent.Commands;

/// <summary>The commands that look at the guest's system.</summary>
internal static class SystemCommands
{
    public static JsonNode? Time(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        return UnixTicks(agent) * 100;
    }

    public static JsonNode? OSInfo(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        return OSInformation.For(agent.Options.GuestOS);
    }

    public static JsonNode? HostName(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        return new JsonObject { ["host-name"] = agent.Options.HostName };
    }

    public static JsonNode? TimeZone(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        return new JsonObject { ["zone"] = "UTC", ["offset"] = 0 };
    }

    public static JsonNode? Users(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        var user = new JsonObject { ["login-time"] = 1767225600.25, ["user"] = "root" };
        if (agent.Options.GuestOS == EmbeddedGuestOS.Windows)
        {
            user["user"] = "Administrator";
            user["domain"] = agent.Options.HostName.ToUpperInvariant();
        }

        return new JsonArray(user);
    }

    public static JsonNode? Load(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        return new JsonObject { ["load15m"] = 0.05, ["load5m"] = 0.125, ["load1m"] = 0.25 };
    }

    private static long UnixTicks(AgentContext agent) => agent.Machine.Now.UtcTicks - DateTimeOffset.FromUnixTimeSeconds(0).Ticks;
}
