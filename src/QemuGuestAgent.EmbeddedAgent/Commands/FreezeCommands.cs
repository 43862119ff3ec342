using System.Text.Json.Nodes;

namespace QemuGuestAgent.EmbeddedAgent.Commands;

/// <summary>The commands that freeze and thaw file systems.</summary>
internal static class FreezeCommands
{
    private static readonly TimeSpan WindowsLimit = TimeSpan.FromSeconds(10);

    public static JsonNode? Status(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        return agent.Machine.IsFrozen ? "frozen" : "thawed";
    }

    public static JsonNode? Freeze(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        agent.Machine.IsFrozen = true;
        return StorageCommands.FileSystemCount;
    }

    public static JsonNode? FreezeList(AgentContext agent, CommandArguments arguments)
    {
        var wanted = arguments.OptionalTexts("mountpoints");
        arguments.End();

        // A place where nothing is mounted is passed over.
        var frozen = StorageCommands.Mounted(agent).Count(fileSystem => wanted?.Contains(fileSystem.MountPoint) != false);
        agent.Machine.IsFrozen = frozen > 0;
        return frozen;
    }

    public static JsonNode? Thaw(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        if (agent.Options.GuestOS == EmbeddedGuestOS.Windows && agent.Machine.Now - agent.Machine.FrozenSince > WindowsLimit)
        {
            agent.Machine.IsFrozen = false;
            throw new EmbeddedCommandException("couldn't hold writes: fsfreeze is limited up to 10 seconds");
        }

        var thawed = agent.Machine.IsFrozen ? StorageCommands.FileSystemCount : 0;
        agent.Machine.IsFrozen = false;
        return thawed;
    }
}
