using System.Management.Automation;
using System.Text.Json;

namespace QemuGuestAgent.Conversion;

/// <summary>Makes PowerShell's objects of a reply, with the JSON's own member names, order and types.</summary>
internal static class ReplyConverter
{
    /// <summary>The note property that says which guest an object came from.</summary>
    public const string GuestNameProperty = "PSGuestName";

    // Most of the agent's objects have no more.
    private const int UsualMembers = 8;

    // What the engine itself gives every object; of a member of that name it would be one or the other that is seen.
    private static readonly HashSet<string> Reserved =
        new(["psobject", "psbase", "psadapted", "psextended", "pstypenames"], StringComparer.OrdinalIgnoreCase);

    /// <summary>Reads a value: an object as PSObject, an array as object[], a number as long, ulong past it, else double.</summary>
    public static object? Read(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.StartObject => ReadObject(ref reader),
        JsonTokenType.StartArray => ReadArray(ref reader),
        JsonTokenType.String => reader.GetString(),
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        JsonTokenType.Number when reader.TryGetInt64(out var number) => number,
        JsonTokenType.Number when reader.TryGetUInt64(out var number) => number,
        JsonTokenType.Number => reader.GetDouble(),
        _ => null,
    };

    /// <summary>Reads a value as its JSON text.</summary>
    public static string ReadText(ref Utf8JsonReader reader) => JsonElement.ParseValue(ref reader).GetRawText();

    /// <summary>Marks an object with the guest that it came from. A scalar is left as it is: it would no longer print as one in JSON.</summary>
    public static object? Mark(object? value, string guestName)
    {
        if (value is PSObject thing)
        {
            // A guest that sends the name itself does not get through with it.
            thing.Properties.Remove(GuestNameProperty);
            thing.Properties.Add(new PSNoteProperty(GuestNameProperty, guestName), preValidated: true);
        }

        return value;
    }

    private static PSObject ReadObject(ref Utf8JsonReader reader)
    {
        var result = new PSObject();
        var properties = result.Properties;
        var names = new HashSet<string>(UsualMembers, StringComparer.OrdinalIgnoreCase);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            if (name.Length == 0 || Reserved.Contains(name) || !names.Add(name))
            {
                throw new FormatException(
                    name.Length == 0 ? "it has a member without a name."
                    : Reserved.Contains(name) ? $"it has a member with a name that PowerShell keeps for itself: '{name}'."
                    : $"it has two members whose names PowerShell does not tell apart: '{names.First(known => names.Comparer.Equals(known, name))}' and '{name}'.");
            }

            reader.Read();
            properties.Add(new PSNoteProperty(name, Read(ref reader)), preValidated: true);
        }

        return result;
    }

    private static object?[] ReadArray(ref Utf8JsonReader reader)
    {
        var items = new List<object?>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            items.Add(Read(ref reader));
        }

        return [.. items];
    }
}
