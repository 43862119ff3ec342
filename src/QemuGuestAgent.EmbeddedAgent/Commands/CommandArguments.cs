using System.Text.Json;

namespace QemuGuestAgent.EmbeddedAgent.Commands;

/// <summary>A request's arguments, checked as QEMU does: in the order of the schema, the unexpected last.</summary>
/// <param name="arguments">The object, or null for none.</param>
/// <param name="path">Its place in the arguments, for errors.</param>
internal sealed class CommandArguments(JsonElement? arguments, string path = "")
{
    private static readonly JsonElement NoArguments = JsonDocument.Parse("{}").RootElement;

    private readonly HashSet<string> _expected = [];

    public long Integer(string name) => OptionalInteger(name) ?? throw Missing(path + name);

    public long? OptionalInteger(string name) =>
        !TryGet(name, out var value) ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number
        : throw WrongType(path + name, "integer");

    public bool Flag(string name) => OptionalFlag(name) ?? throw Missing(path + name);

    public bool? OptionalFlag(string name) =>
        !TryGet(name, out var value) ? null
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
        : throw WrongType(path + name, "boolean");

    public string Text(string name) => OptionalText(name) ?? throw Missing(path + name);

    public string? OptionalText(string name) => TryGet(name, out var value) ? Text(path + name, value) : null;

    public IReadOnlyList<string> Texts(string name) => OptionalTexts(name) ?? throw Missing(path + name);

    public IReadOnlyList<string>? OptionalTexts(string name)
    {
        if (!TryGet(name, out var value))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Array
            ? value.EnumerateArray().Select((item, index) => Text($"{name}[{index}]", item)).ToArray()
            : throw WrongType(name, "array");
    }

    /// <summary>An argument that is a list of objects.</summary>
    public IReadOnlyList<T> Objects<T>(string name, Func<CommandArguments, T> read)
    {
        var list = OptionalAny(name) ?? throw Missing(path + name);
        return list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray().Select((item, index) => Object($"{path}{name}[{index}]", item, read)).ToArray()
            : throw WrongType(path + name, "array");
    }

    /// <summary>The arguments as they came.</summary>
    public JsonElement All => arguments ?? NoArguments;

    /// <summary>An argument whose type the command looks at itself.</summary>
    public JsonElement? OptionalAny(string name) => TryGet(name, out var value) ? value : null;

    /// <summary>Ends the checks; to be called before the command acts.</summary>
    public void End()
    {
        if (arguments is { } all)
        {
            foreach (var member in all.EnumerateObject().Where(member => !_expected.Contains(member.Name)))
            {
                throw new EmbeddedCommandException($"Parameter '{path}{member.Name}' is unexpected");
            }
        }
    }

    public static EmbeddedCommandException Missing(string name) => new($"Parameter '{name}' is missing");

    public static EmbeddedCommandException WrongType(string name, string expected) =>
        new($"Invalid parameter type for '{name}', expected: {expected}");

    public static EmbeddedCommandException WrongValue(string name, string? value) =>
        new($"Parameter '{name}' does not accept value '{value}'");

    private static T Object<T>(string name, JsonElement value, Func<CommandArguments, T> read)
    {
        var members = new CommandArguments(
            value.ValueKind == JsonValueKind.Object ? value : throw WrongType(name, "object"), name + ".");
        var result = read(members);
        members.End();
        return result;
    }

    private static string Text(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw WrongType(name, "string");

    private bool TryGet(string name, out JsonElement value)
    {
        _expected.Add(name);
        value = default;
        return arguments is { } all && all.TryGetProperty(name, out value);
    }
}
