using System.Text.Json;
using System.Text.Json.Nodes;
using QemuGuestAgent.EmbeddedAgent.Guest;
using QemuGuestAgent.EmbeddedAgent.Wire;

namespace QemuGuestAgent.EmbeddedAgent.Commands;

/// <summary>The commands on files.</summary>
internal static class FileCommands
{
    private const int DefaultCount = 4096;
    private const int MaxCount = 48 << 20;

    public static JsonNode? Open(AgentContext agent, CommandArguments arguments)
    {
        var path = arguments.Text("path");
        var modeText = arguments.OptionalText("mode") ?? "r";
        arguments.End();
        var mode = OpenMode.Parse(modeText) ?? throw new EmbeddedCommandException($"invalid file open mode '{modeText}'");
        var file = Try($"failed to open file '{path}' (mode: '{modeText}')", () => agent.Machine.Files.Open(path, mode));
        var handle = agent.Machine.NextHandle();
        agent.Handles[handle] = file;
        return handle;
    }

    public static JsonNode? Close(AgentContext agent, CommandArguments arguments)
    {
        var handle = arguments.Integer("handle");
        arguments.End();
        Find(agent, handle);
        agent.Handles.TryRemove(handle, out _);
        return new JsonObject();
    }

    public static JsonNode? Read(AgentContext agent, CommandArguments arguments)
    {
        var handle = arguments.Integer("handle");
        var count = arguments.OptionalInteger("count") ?? DefaultCount;
        arguments.End();
        var file = Find(agent, handle);
        if (count is < 0 or > MaxCount)
        {
            throw InvalidCount(count);
        }

        var bytes = Try("failed to read file", () => file.Read((int)count));
        return new JsonObject
        {
            ["count"] = bytes.Length,
            ["buf-b64"] = Convert.ToBase64String(bytes),
            ["eof"] = file.IsAtEnd,
        };
    }

    public static JsonNode? Write(AgentContext agent, CommandArguments arguments)
    {
        var handle = arguments.Integer("handle");
        var data = arguments.Text("buf-b64");
        var limit = arguments.OptionalInteger("count");
        arguments.End();
        var file = Find(agent, handle);
        var bytes = LenientBase64.Decode(data);
        var count = limit ?? bytes.Length;
        if (count < 0 || count > bytes.Length)
        {
            throw InvalidCount(count);
        }

        Try("failed to write to file", () => file.Write(bytes.AsSpan(0, (int)count)));
        return new JsonObject { ["count"] = count, ["eof"] = file.IsAtEnd };
    }

    public static JsonNode? Seek(AgentContext agent, CommandArguments arguments)
    {
        var handle = arguments.Integer("handle");
        var offset = arguments.Integer("offset");
        var whence = arguments.OptionalAny("whence") ?? throw CommandArguments.Missing("whence");
        var code = Whence(whence);
        arguments.End();
        var file = Find(agent, handle);
        if (code is < 0 or > 2)
        {
            throw new EmbeddedCommandException($"invalid whence code {code}");
        }

        var position = Try("failed to seek file", () => file.Seek(offset, (SeekOrigin)code));
        return new JsonObject { ["eof"] = file.IsAtEnd, ["position"] = position };
    }

    public static JsonNode? Flush(AgentContext agent, CommandArguments arguments)
    {
        var handle = arguments.Integer("handle");
        arguments.End();
        Find(agent, handle);
        return new JsonObject();
    }

    // Agents before 2.6 had numbers here; they are still taken.
    private static long Whence(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when value.TryGetInt64(out var code) => code,
        JsonValueKind.String => value.GetString() switch
        {
            "set" => 0,
            "cur" => 1,
            "end" => 2,
            var other => throw CommandArguments.WrongValue("whence", other),
        },
        _ => throw CommandArguments.WrongType("whence", "GuestFileWhence"),
    };

    private static OpenFile Find(AgentContext agent, long handle) =>
        agent.Handles.TryGetValue(handle, out var file)
            ? file
            : throw new EmbeddedCommandException($"handle '{handle}' has not been found");

    private static EmbeddedCommandException InvalidCount(long count) => new($"value '{count}' is invalid for argument count");

    private static void Try(string failure, Action action) => Try(failure, () =>
    {
        action();
        return true;
    });

    private static T Try<T>(string failure, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (ErrnoException e)
        {
            throw new EmbeddedCommandException($"{failure}: {e.Message}");
        }
    }
}
