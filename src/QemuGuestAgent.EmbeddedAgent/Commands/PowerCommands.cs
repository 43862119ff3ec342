using System.Text.Json.Nodes;

namespace QemuGuestAgent.EmbeddedAgent.Commands;

/// <summary>What a command did to the guest as a whole.</summary>
internal enum PowerChange
{
    None,

    /// <summary>Off, and with it QEMU: the channel ends.</summary>
    Off,

    /// <summary>Down, but QEMU stays.</summary>
    Halt,

    Reboot,

    /// <summary>Off until it is started again, when it goes on where it was.</summary>
    Hibernate,

    /// <summary>Silent for a while.</summary>
    Sleep,
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
            null or "powerdown" => PowerChange.Off,
            "halt" => PowerChange.Halt,
            "reboot" => PowerChange.Reboot,

            // The parenthesis is open in qemu-ga too.
            _ => throw new EmbeddedCommandException("mode is invalid (valid values are: halt|powerdown|reboot"),
        };
        return null;
    }

    public static JsonNode? SuspendToDisk(AgentContext agent, CommandArguments arguments) =>
        Suspend(agent, arguments, PowerChange.Hibernate);

    public static JsonNode? SuspendToMemory(AgentContext agent, CommandArguments arguments) =>
        Suspend(agent, arguments, PowerChange.Sleep);

    private static JsonNode? Suspend(AgentContext agent, CommandArguments arguments, PowerChange change)
    {
        arguments.End();
        agent.PowerChange = change;
        return null;
    }
}
