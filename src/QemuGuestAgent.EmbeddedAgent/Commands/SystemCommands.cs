using System.Text.Json.Nodes;
using QemuGuestAgent.EmbeddedAgent.Guest;

namespace QemuGuestAgent.EmbeddedAgent.Commands;

/// <summary>The commands on the guest's system.</summary>
internal static class SystemCommands
{
    private const int NanosecondsPerTick = 100;

    private static readonly DateTimeOffset Epoch = DateTimeOffset.FromUnixTimeSeconds(0);

    // qemu-ga takes no year from 2070 on.
    private static readonly DateTimeOffset LastTime = new(2070, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static JsonNode? Time(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        return (agent.Machine.Clock - Epoch).Ticks * NanosecondsPerTick;
    }

    // Without a time the clock is set from the RTC, which here is the host's clock.
    public static JsonNode? SetTime(AgentContext agent, CommandArguments arguments)
    {
        var time = arguments.OptionalInteger("time");
        arguments.End();
        if (time < 0 || time / NanosecondsPerTick >= (LastTime - Epoch).Ticks)
        {
            throw new EmbeddedCommandException("Invalid time");
        }

        agent.Machine.ClockOffset = time is { } set ? Epoch.AddTicks(set / NanosecondsPerTick) - agent.Machine.Now : TimeSpan.Zero;
        return new JsonObject();
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
        // Windows' own name for it, not the abbreviation.
        var zone = agent.Options.GuestOS == EmbeddedGuestOS.Windows ? "Coordinated Universal Time" : "UTC";
        return new JsonObject { ["zone"] = zone, ["offset"] = 0 };
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
}
