using System.Collections;
using System.Globalization;
using System.Text.Json;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Wire;

/// <summary>
/// Writes values of a script as JSON: null, bool, whole and other numbers, strings, enums (as text), byte arrays (as base64), lists and
/// dictionaries, nested. Values that JSON cannot represent are refused, with their place.
/// </summary>
public sealed class ArgumentWriter
{
    private readonly Func<object, object?> _unwrap;
    private readonly List<object> _parents = [];

    private ArgumentWriter(Func<object, object?> unwrap) => _unwrap = unwrap;

    /// <summary>Checks the arguments of a command and returns their writer, or null if there are none.</summary>
    /// <param name="command">The command, for the error's text.</param>
    /// <param name="arguments">A dictionary, or an object that <paramref name="unwrap"/> turns into one.</param>
    /// <param name="unwrap">Turns an object of the host (such as a PSObject) into one of the kinds above, or returns it unchanged.</param>
    /// <exception cref="GuestAgentException">One of the <c>Argument…</c> errors.</exception>
    public static Action<Utf8JsonWriter>? Prepare(string command, object? arguments, Func<object, object?>? unwrap = null)
    {
        unwrap ??= static value => value;
        if (arguments is null || unwrap(arguments) is not { } value)
        {
            return null;
        }

        if (value is not IDictionary)
        {
            throw ErrorCatalogue.ArgumentsNotAnObject.WithTarget(arguments, command, value.GetType());
        }

        // Written now, so that an invalid argument is found before anything is sent, and copied later, so that it cannot change in between.
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json, new JsonWriterOptions { MaxDepth = RequestWriter.MaxMessageDepth }))
        {
            new ArgumentWriter(unwrap).Write(writer, arguments, "");
        }

        var bytes = json.ToArray();
        return writer => writer.WriteRawValue(bytes, skipInputValidation: true);
    }

    private void Write(Utf8JsonWriter writer, object? wrapped, string path)
    {
        var unwrapped = wrapped is null ? null : _unwrap(wrapped);
        switch (unwrapped)
        {
            case null: writer.WriteNullValue(); break;
            case bool value: writer.WriteBooleanValue(value); break;
            case string value: writer.WriteStringValue(Checked(value, path)); break;
            case char value: writer.WriteStringValue(Checked(value.ToString(), path)); break;
            case byte[] value:
                CheckLength(value.Length, path);
                writer.WriteBase64StringValue(value);
                break;
            case Enum value: writer.WriteStringValue(value.ToString()); break;
            case ulong value: writer.WriteNumberValue(value); break;
            case long or int or short or sbyte or uint or ushort or byte:
                writer.WriteNumberValue(Convert.ToInt64(unwrapped, CultureInfo.InvariantCulture));
                break;
            case decimal value: writer.WriteNumberValue(value); break;
            case float value: WriteDouble(writer, value, path); break;
            case double value: WriteDouble(writer, value, path); break;
            case IDictionary value:
                Enter(wrapped!, path);
                WriteObject(writer, value, path);
                Leave();
                break;
            case IEnumerable value:
                Enter(wrapped!, path);
                WriteArray(writer, value, path);
                Leave();
                break;
            case { } other: throw ErrorCatalogue.ArgumentTypeUnsupported.WithTarget(path, Name(path), other.GetType());
        }
    }

    private void WriteObject(Utf8JsonWriter writer, IDictionary value, string path)
    {
        writer.WriteStartObject();
        foreach (DictionaryEntry entry in value)
        {
            var key = Convert.ToString(entry.Key, CultureInfo.InvariantCulture) ?? "";
            var member = path.Length == 0 ? key : $"{path}.{key}";
            writer.WritePropertyName(Checked(key, member));
            Write(writer, entry.Value, member);
        }

        writer.WriteEndObject();
    }

    private void WriteArray(Utf8JsonWriter writer, IEnumerable value, string path)
    {
        writer.WriteStartArray();
        var index = 0;
        foreach (var item in value)
        {
            Write(writer, item, $"{path}[{index++}]");
        }

        writer.WriteEndArray();
    }

    // The host's object is remembered, not its conversion, which may be a new object every time.
    private void Enter(object value, string path)
    {
        if (_parents.Exists(parent => ReferenceEquals(parent, value)))
        {
            throw ErrorCatalogue.ArgumentCycle.WithTarget(path, Name(path));
        }

        if (_parents.Count == RequestWriter.MaxDepth)
        {
            throw ErrorCatalogue.ArgumentTooDeep.WithTarget(path, Name(path), RequestWriter.MaxDepth);
        }

        _parents.Add(value);
    }

    private void Leave() => _parents.RemoveAt(_parents.Count - 1);

    private static void WriteDouble(Utf8JsonWriter writer, double value, string path)
    {
        if (double.IsNaN(value) || double.IsInfinity(value))
        {
            throw ErrorCatalogue.ArgumentNumberInvalid.WithTarget(path, Name(path), value);
        }

        writer.WriteNumberValue(value);
    }

    /// <summary>The text, after checking that the agent can read it.</summary>
    /// <param name="text">Text from the caller.</param>
    /// <param name="path">Its place in the arguments.</param>
    /// <exception cref="GuestAgentException">ArgumentTextInvalid, RequestTooLong.</exception>
    internal static string Checked(string text, string path)
    {
        CheckLength(text.Length, path);

        // The serializer would write U+FFFD for an unpaired surrogate; the agent cannot read a noncharacter, and would not know the request's id.
        for (var i = 0; i < text.Length; i++)
        {
            var isPair = char.IsSurrogatePair(text, i);
            var character = isPair ? char.ConvertToUtf32(text, i) : text[i];
            if (character is (>= 0xD800 and <= 0xDFFF) or (>= 0xFDD0 and <= 0xFDEF) || (character & 0xFFFE) == 0xFFFE)
            {
                throw ErrorCatalogue.ArgumentTextInvalid.WithTarget(path, Name(path), character.ToString("X4", CultureInfo.InvariantCulture));
            }

            i += isPair ? 1 : 0;
        }

        return text;
    }

    // Far beyond this limit the serializer fails with its own error.
    private static void CheckLength(int length, string path)
    {
        if (length > RequestWriter.MaxRequestBytes)
        {
            throw ErrorCatalogue.RequestTooLong.With(path, length, RequestWriter.MaxRequestBytes);
        }
    }

    private static string Name(string path) => path.Length == 0 ? "object" : $"'{path}'";
}
