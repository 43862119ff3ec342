using System.Management.Automation;
using System.Text.Json;

namespace QemuGuestAgent.Conversion;

/// <summary>Converts a reply to PowerShell objects, with the member names, order and types of the JSON.</summary>
internal sealed class ReplyConverter
{
    /// <summary>The note property that says which guest an object came from.</summary>
    public const string GuestNameProperty = "PSGuestName";

    /// <summary>The note property that says which host that guest is on, where it is another one.</summary>
    public const string HostNameProperty = "PSHostName";

    // Members that the engine gives every object: a member with the same name would hide or be hidden by them.
    private static readonly HashSet<string> Reserved =
        new(["psobject", "psbase", "psadapted", "psextended", "pstypenames"], StringComparer.OrdinalIgnoreCase);

    // By depth, the member names of the last object: the objects of a list mostly have the same.
    private readonly List<List<string>> _names = [];

    /// <summary>Reads a value: an object as PSObject, an array as object[], a number as long, ulong if larger, otherwise double.</summary>
    public static object? Read(ref Utf8JsonReader reader) => new ReplyConverter().ReadValue(ref reader);

    /// <summary>Reads a value as its JSON text.</summary>
    public static string ReadText(ref Utf8JsonReader reader) => JsonElement.ParseValue(ref reader).GetRawText();

    /// <summary>Marks an object with the guest that it came from. A scalar is left as it is: it would no longer print as one in JSON.</summary>
    public static object? Mark(object? value, GuestTarget guest)
    {
        if (value is PSObject thing)
        {
            // A guest that sends these names itself is overruled.
            thing.Properties.Remove(GuestNameProperty);
            thing.Properties.Remove(HostNameProperty);
            thing.Properties.Add(new PSNoteProperty(GuestNameProperty, guest.Name), preValidated: true);
            if (guest.HostName is { } host)
            {
                thing.Properties.Add(new PSNoteProperty(HostNameProperty, host), preValidated: true);
            }
        }

        return value;
    }

    private object? ReadValue(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.StartObject => ReadObject(ref reader),
        JsonTokenType.StartArray => ReadArray(ref reader),
        JsonTokenType.String => reader.GetString(),
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        JsonTokenType.Number when reader.TryGetInt64(out var number) => number,
        JsonTokenType.Number when reader.TryGetUInt64(out var number) => number,
        JsonTokenType.Number when reader.TryGetDouble(out var number) && !double.IsInfinity(number) => number,
        JsonTokenType.Number => throw new FormatException("it has a number that no type of .NET can hold."),
        _ => null,
    };

    private PSObject ReadObject(ref Utf8JsonReader reader)
    {
        while (_names.Count <= reader.CurrentDepth)
        {
            _names.Add([]);
        }

        var result = new PSObject();
        var properties = result.Properties;
        var names = _names[reader.CurrentDepth];
        HashSet<string>? taken = null;
        for (var i = 0; reader.Read() && reader.TokenType == JsonTokenType.PropertyName; i++)
        {
            if (i == names.Count || !reader.ValueTextEquals(names[i]))
            {
                // From here on the object has other members.
                names.RemoveRange(i, names.Count - i);
                taken ??= new HashSet<string>(names, StringComparer.OrdinalIgnoreCase);
                names.Add(ReadName(ref reader, taken));
            }

            reader.Read();
            properties.Add(new PSNoteProperty(names[i], ReadValue(ref reader)), preValidated: true);
        }

        return result;
    }

    private static string ReadName(ref Utf8JsonReader reader, HashSet<string> taken)
    {
        var name = reader.GetString()!;
        return name.Length == 0 ? throw new FormatException("it has a member without a name.")
            : Reserved.Contains(name) ? throw new FormatException($"it has a member with a name that PowerShell keeps for itself: '{name}'.")
            : taken.Add(name) ? name
            : throw new FormatException(
                $"it has two members whose names PowerShell does not tell apart: '{taken.First(known => taken.Comparer.Equals(known, name))}' and '{name}'.");
    }

    private object?[] ReadArray(ref Utf8JsonReader reader)
    {
        var items = new List<object?>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            items.Add(ReadValue(ref reader));
        }

        return [.. items];
    }
}
