using System.Text.Json.Nodes;

namespace QemuGuestAgent.EmbeddedAgent.Commands;

/// <summary>What a command did to the guest as a whole.</summary>
internal enum PowerChange
{
    None,
    Down,
    Reboot,
    Suspend,
}

/// <summary>The commands that stop the guest. Success is not answered.</summary>
internal static class PowerCommands
{
    public static JsonNode? Shutdown(AgentContext agent, CommandArguments arguments)
    {
        var mode = arguments.OptionalText("mode");
        arguments.End();
        agent.PowerChange = mode switch
        {
            null or "powerdown" or "halt" => PowerChange.Down,
            "reboot" => PowerChange.Reboot,

            // The parenthesis is open in qemu-ga too.
            _ => throw new EmbeddedCommandException("mode is invalid (valid values are: halt|powerdown|reboot"),
        };
        return null;
    }

    public static JsonNode? Suspend(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        agent.PowerChange = PowerChange.Suspend;
        return null;
    }
}
