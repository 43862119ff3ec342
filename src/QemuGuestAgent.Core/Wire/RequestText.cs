using System.Collections.Specialized;
using System.Text.Json;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Wire;

/// <summary>Reads requests and arguments that are given as JSON, as in lines for virsh qemu-agent-command.</summary>
public static class RequestText
{
    /// <summary>Whether a text is meant as a JSON object.</summary>
    /// <param name="text">The text.</param>
    public static bool IsObject(string text) => text.TrimStart() is ['{', ..];

    /// <summary>Reads a whole request: an object with the members execute and arguments.</summary>
    /// <param name="text">The JSON text.</param>
    /// <exception cref="GuestAgentException">RequestTextInvalid.</exception>
    public static (string Command, object? Arguments) ReadRequest(string text)
    {
        var members = ReadArguments(text);
        if (members.Keys.Cast<string>().FirstOrDefault(name => name is not ("execute" or "arguments")) is { } other)
        {
            throw ErrorCatalogue.RequestTextInvalid.With(text, $"a request has the members execute and arguments, but not '{other}'.");
        }

        return members["execute"] is string command
            ? (command, members["arguments"])
            : throw ErrorCatalogue.RequestTextInvalid.With(text, "it has no member execute with the name of a command.");
    }

    /// <summary>Reads the arguments of a command: an object.</summary>
    /// <param name="text">The JSON text.</param>
    /// <exception cref="GuestAgentException">RequestTextInvalid.</exception>
    public static OrderedDictionary ReadArguments(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? ReadObject(document.RootElement)
                : throw ErrorCatalogue.RequestTextInvalid.With(text, "it is not an object.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw ErrorCatalogue.RequestTextInvalid.Because(e, text, e.Message);
        }
    }

    private static OrderedDictionary ReadObject(JsonElement element)
    {
        var members = new OrderedDictionary(StringComparer.Ordinal);
        foreach (var member in element.EnumerateObject())
        {
            if (members.Contains(member.Name))
            {
                throw new FormatException($"the member '{member.Name}' is given twice.");
            }

            members.Add(member.Name, Read(member.Value));
        }

        return members;
    }

    private static object? Read(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => ReadObject(element),
        JsonValueKind.Array => element.EnumerateArray().Select(Read).ToArray(),
        JsonValueKind.String => element.GetString(),
        JsonValueKind.Number when element.TryGetInt64(out var number) => number,
        JsonValueKind.Number when element.TryGetUInt64(out var number) => number,
        JsonValueKind.Number when element.TryGetDouble(out var number) => number,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };
}
