using System.Text.Json;

namespace QemuGuestAgent.EmbeddedAgent.Wire;

/// <summary>A message of the splitter, read as a request. Its errors are QEMU's texts.</summary>
internal sealed class Request
{
    // The splitter has checked the depth already.
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 2048 };

    private Request()
    {
    }

    /// <summary>The command's name; null if there is an error.</summary>
    public string? Command { get; private set; }

    public JsonElement? Arguments { get; private set; }

    public JsonElement? Id { get; private set; }

    public string? Error { get; private set; }

    public static Request Read(ParsedMessage message, bool takesIds)
    {
        var request = new Request { Error = message.Error };
        if (message.Json is not null)
        {
            var root = JsonDocument.Parse(message.Json, Options).RootElement;
            request.Error = HasDuplicateKey(root) ? "JSON parse error, duplicate key"
                : root.ValueKind != JsonValueKind.Object ? "QMP input must be a JSON object"
                : request.ReadMembers(root, takesIds);
        }

        if (request.Error is not null)
        {
            request.Command = null;
        }

        return request;
    }

    private string? ReadMembers(JsonElement root, bool takesIds)
    {
        if (takesIds && root.TryGetProperty("id", out var id))
        {
            Id = id;
        }

        foreach (var member in root.EnumerateObject())
        {
            switch (member.Name)
            {
                case "execute" when member.Value.ValueKind != JsonValueKind.String:
                    return "QMP input member 'execute' must be a string";
                case "execute":
                    Command = member.Value.GetString();
                    break;
                case "arguments" when member.Value.ValueKind != JsonValueKind.Object:
                    return "QMP input member 'arguments' must be an object";
                case "arguments":
                    Arguments = member.Value;
                    break;
                case "id" when takesIds:
                    break;
                default:
                    return $"QMP input member '{member.Name}' is unexpected";
            }
        }

        return Command is null ? "QMP input lacks member 'execute'" : null;
    }

    private static bool HasDuplicateKey(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Array:
                return element.EnumerateArray().Any(HasDuplicateKey);
            case JsonValueKind.Object:
                var keys = new HashSet<string>();
                return element.EnumerateObject().Any(member => !keys.Add(member.Name) || HasDuplicateKey(member.Value));
            default:
                return false;
        }
    }
}
