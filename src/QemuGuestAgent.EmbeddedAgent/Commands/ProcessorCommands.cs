using System.Text.Json.Nodes;
using QemuGuestAgent.EmbeddedAgent.Guest;

namespace QemuGuestAgent.EmbeddedAgent.Commands;

/// <summary>The commands on the guest's processors and memory.</summary>
internal static class ProcessorCommands
{
    private const long MemoryBlockSize = 128L << 20;

    // EBUSY.
    private const int DeviceBusy = 16;

    public static JsonNode? Processors(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        return Units(agent.Machine.OnlineProcessors, "logical-id", canOffline: agent.Options.GuestOS != EmbeddedGuestOS.Windows);
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
        return Units(agent.Machine.OnlineMemoryBlocks, "phys-index", canOffline: true);
    }

    public static JsonNode? MemoryBlockInfo(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        return new JsonObject { ["size"] = MemoryBlockSize };
    }

    // Ends at the first that cannot be switched; says why where that is the first of all.
    public static JsonNode? SetProcessors(AgentContext agent, CommandArguments arguments)
    {
        var wanted = Wanted(arguments, "vcpus", "logical-id");
        var online = agent.Machine.OnlineProcessors;
        var done = 0;
        foreach (var (id, isOnline) in wanted)
        {
            var error =
                id < 0 || id >= online.Length ? $"Could not open '/sys/devices/system/cpu/cpu{id}/': {Errno.NoEntry}"
                : id == 0 && !isOnline ? $"logical processor #{id} can't be offlined"
                : null;
            if (error is not null)
            {
                return done > 0 ? done : throw new EmbeddedCommandException(error);
            }

            online[id] = isOnline;
            done++;
        }

        return done;
    }

    public static JsonNode? SetMemoryBlocks(AgentContext agent, CommandArguments arguments) => new JsonArray(
        Wanted(arguments, "mem-blks", "phys-index")
            .Select(block => SetMemoryBlock(agent.Machine.OnlineMemoryBlocks, block)).ToArray<JsonNode?>());

    private static JsonObject SetMemoryBlock(bool[] online, (long Id, bool Online) block)
    {
        var result = new JsonObject { ["phys-index"] = block.Id };
        if (block.Id < 0 || block.Id >= online.Length)
        {
            result["response"] = "not-found";
        }
        else if (block.Id == 0 && !block.Online)
        {
            result["response"] = "operation-failed";
            result["error-code"] = DeviceBusy;
        }
        else
        {
            online[block.Id] = block.Online;
            result["response"] = "success";
        }

        return result;
    }

    private static IReadOnlyList<(long Id, bool Online)> Wanted(CommandArguments arguments, string list, string key)
    {
        var wanted = arguments.Objects(list, item =>
        {
            var unit = (item.Integer(key), item.Flag("online"));
            item.OptionalFlag("can-offline");
            return unit;
        });
        arguments.End();
        return wanted;
    }

    // The first one stays online. Their order means nothing; here it is the reverse.
    private static JsonArray Units(bool[] online, string key, bool canOffline) => new(
        online.Select((isOnline, id) => (JsonNode?)new JsonObject
        {
            ["online"] = isOnline,
            ["can-offline"] = canOffline && id > 0,
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
