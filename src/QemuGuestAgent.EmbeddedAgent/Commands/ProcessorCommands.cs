using System.Text.Json.Nodes;

namespace QemuGuestAgent.EmbeddedAgent.Commands;

/// <summary>The commands that look at the guest's processors and memory.</summary>
internal static class ProcessorCommands
{
    private const long MemoryBlockSize = 128L << 20;

    public static JsonNode? Processors(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        return Units(agent.Machine.OnlineProcessors, "logical-id");
    }

    public static JsonNode? Statistics(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        var online = agent.Machine.OnlineProcessors;
        return new JsonArray(Enumerable.Range(0, online.Length).Where(id => online[id]).Select(ProcessorStatistics).ToArray<JsonNode?>());
    }

    public static JsonNode? MemoryBlocks(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        return Units(agent.Machine.OnlineMemoryBlocks, "phys-index");
    }

    public static JsonNode? MemoryBlockInfo(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        return new JsonObject { ["size"] = MemoryBlockSize };
    }

    // The first one stays online. Their order means nothing; here it is the reverse.
    private static JsonArray Units(bool[] online, string key) => new(
        online.Select((isOnline, id) => (JsonNode?)new JsonObject
        {
            ["online"] = isOnline,
            ["can-offline"] = id > 0,
            [key] = id,
        }).Reverse().ToArray());

    private static JsonObject ProcessorStatistics(int id) => new()
    {
        ["cpu"] = id,
        ["guestnice"] = 0,
        ["idle"] = 2488020,
        ["steal"] = 1500,
        ["iowait"] = 3620,
        ["system"] = 147210,
        ["guest"] = 0,
        ["nice"] = 105140,
        ["irq"] = 0,
        ["type"] = "linux",
        ["user"] = 702640,
        ["softirq"] = 1670,
    };
}
