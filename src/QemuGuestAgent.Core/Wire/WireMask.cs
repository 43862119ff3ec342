using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Wire;

/// <summary>Shows a message in a trace with secrets and private data masked.</summary>
internal static class WireMask
{
    /// <summary>The text for the byte 0xFF.</summary>
    public const string Sentinel = "<0xFF>";

    private const string Mask = "***";
    private const int MaxShown = 1024;

    // Larger messages are not parsed for a trace: only their size is shown.
    private const int MaxParsed = 1 << 20;

    // Members that carry secrets or the content of files and processes, in requests and replies.
    private static readonly HashSet<string> Masked =
        ["password", "input-data", "buf-b64", "out-data", "err-data", "keys", "env"];

    /// <summary>The message as text, masked, harmless for a terminal and of bounded length.</summary>
    public static string Show(in ReadOnlySequence<byte> message)
    {
        var (prefix, json) = message.Length > 0 && message.First.Span[0] == FrameDecoder.Sentinel
            ? (Sentinel, message.Slice(1))
            : ("", message);
        if (json.Length > MaxParsed)
        {
            return $"{prefix}<{json.Length} bytes>";
        }

        var output = new RequestBuffer();
        try
        {
            var reader = new Utf8JsonReader(json);
            using var writer = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
            Copy(ref reader, writer);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IndexOutOfRangeException or ArgumentException)
        {
            // A part of a message may contain a part of a secret.
            return $"{prefix}<{json.Length} bytes that are not a complete message>";
        }

        return prefix + SafeText.Escape(Encoding.UTF8.GetString(output.Written.ToArray()), MaxShown);
    }

    private static void Copy(ref Utf8JsonReader reader, Utf8JsonWriter writer)
    {
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject: writer.WriteStartObject(); break;
                case JsonTokenType.EndObject: writer.WriteEndObject(); break;
                case JsonTokenType.StartArray: writer.WriteStartArray(); break;
                case JsonTokenType.EndArray: writer.WriteEndArray(); break;
                case JsonTokenType.True or JsonTokenType.False: writer.WriteBooleanValue(reader.GetBoolean()); break;
                case JsonTokenType.Null: writer.WriteNullValue(); break;
                case JsonTokenType.String: writer.WriteStringValue(reader.GetString()); break;
                case JsonTokenType.Number:
                    writer.WriteRawValue(reader.HasValueSequence ? reader.ValueSequence.ToArray() : reader.ValueSpan.ToArray());
                    break;
                case JsonTokenType.PropertyName:
                    var name = reader.GetString()!;
                    writer.WritePropertyName(name);
                    if (Masked.Contains(name))
                    {
                        reader.Read();
                        reader.Skip();
                        writer.WriteStringValue(Mask);
                    }

                    break;
            }
        }
    }
}
