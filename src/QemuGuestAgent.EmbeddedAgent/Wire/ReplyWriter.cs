using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace QemuGuestAgent.EmbeddedAgent.Wire;

/// <summary>Writes reply lines as QEMU does: a space after colon and comma, all but printable ASCII as <c>\uXXXX</c>.</summary>
internal static class ReplyWriter
{
    /// <summary>The reply to a command that succeeded.</summary>
    public static byte[] Success(JsonNode? value, JsonElement? id)
    {
        var line = new ByteBuffer();
        line.AppendAscii("{\"return\": ");
        Write(line, value);
        if (id is { } present)
        {
            line.AppendAscii(", \"id\": ");
            Write(line, ToNode(present));
        }

        line.AppendAscii("}\n");
        return line.ToArray();
    }

    /// <summary>The reply to a command that failed.</summary>
    public static byte[] Failure(string errorClass, string description, JsonElement? id)
    {
        var line = new ByteBuffer();
        line.Append((byte)'{');
        if (id is { } present)
        {
            line.AppendAscii("\"id\": ");
            Write(line, ToNode(present));
            line.AppendAscii(", ");
        }

        line.AppendAscii("\"error\": {\"class\": ");
        WriteString(line, errorClass);
        line.AppendAscii(", \"desc\": ");
        WriteString(line, description);
        line.AppendAscii("}}\n");
        return line.ToArray();
    }

    private static JsonNode? ToNode(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => JsonObject.Create(element),
        JsonValueKind.Array => JsonArray.Create(element),
        JsonValueKind.Null => null,
        _ => JsonValue.Create(element),
    };

    private static void Write(ByteBuffer line, JsonNode? node)
    {
        switch (node)
        {
            case null:
                line.AppendAscii("null");
                break;
            case JsonObject members:
                WriteObject(line, members);
                break;
            case JsonArray items:
                WriteArray(line, items);
                break;
            default:
                WriteValue(line, node);
                break;
        }
    }

    private static void WriteObject(ByteBuffer line, JsonObject members)
    {
        var separator = "{";
        foreach (var member in members)
        {
            line.AppendAscii(separator);
            WriteString(line, member.Key);
            line.AppendAscii(": ");
            Write(line, member.Value);
            separator = ", ";
        }

        line.AppendAscii(members.Count == 0 ? "{}" : "}");
    }

    private static void WriteArray(ByteBuffer line, JsonArray items)
    {
        var separator = "[";
        foreach (var item in items)
        {
            line.AppendAscii(separator);
            Write(line, item);
            separator = ", ";
        }

        line.AppendAscii(items.Count == 0 ? "[]" : "]");
    }

    private static void WriteValue(ByteBuffer line, JsonNode value)
    {
        switch (value.GetValueKind())
        {
            case JsonValueKind.String:
                WriteString(line, value.GetValue<string>());
                break;
            case JsonValueKind.Number:
                line.AppendAscii(FormatNumber(value.ToJsonString()));
                break;
            default:
                line.AppendAscii(value.ToJsonString());
                break;
        }
    }

    private static string FormatNumber(string json) =>
        long.TryParse(json, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var signed)
            ? signed.ToString(CultureInfo.InvariantCulture)
            : ulong.TryParse(json, NumberStyles.None, CultureInfo.InvariantCulture, out var unsigned)
            ? unsigned.ToString(CultureInfo.InvariantCulture)
            : FormatDouble(json);

    // C's "%.17g".
    private static string FormatDouble(string json)
    {
        if (!double.TryParse(json, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) || double.IsInfinity(value))
        {
            return json[0] == '-' ? "-inf" : "inf";
        }

        if (value == 0)
        {
            return json[0] == '-' ? "-0" : "0";
        }

        var parts = Math.Abs(value).ToString("E16", CultureInfo.InvariantCulture).Split('E');
        var exponent = int.Parse(parts[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var digits = parts[0].Replace(".", "").TrimEnd('0');
        return (value < 0 ? "-" : "") + exponent switch
        {
            < -4 or >= 17 => (digits.Length > 1 ? digits.Insert(1, ".") : digits)
                + (exponent < 0 ? "e-" : "e+") + Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture),
            < 0 => "0." + new string('0', -exponent - 1) + digits,
            _ when digits.Length <= exponent + 1 => digits.PadRight(exponent + 1, '0'),
            _ => digits.Insert(exponent + 1, "."),
        };
    }

    private static void WriteString(ByteBuffer line, string text)
    {
        line.Append((byte)'"');
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c is >= ' ' and < '\x7F' and not ('"' or '\\'))
            {
                continue;
            }

            line.AppendAscii(text, start, i - start);
            line.AppendAscii(Escape(c));
            start = i + 1;
        }

        line.AppendAscii(text, start, text.Length - start);
        line.Append((byte)'"');
    }

    private static string Escape(char c) => c switch
    {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\b' => "\\b",
        '\f' => "\\f",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        _ => "\\u" + ((int)c).ToString("X4", CultureInfo.InvariantCulture),
    };
}
