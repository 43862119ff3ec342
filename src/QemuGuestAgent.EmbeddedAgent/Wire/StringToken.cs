using System.Globalization;
using System.Text;

namespace QemuGuestAgent.EmbeddedAgent.Wire;

/// <summary>Checks a string token as QEMU's parser does, and rewrites what only QEMU accepts as plain JSON.</summary>
internal static class StringToken
{
    /// <summary>Checks the token that ends <paramref name="text"/>; returns what is wrong with it, or null.</summary>
    public static string? Normalise(ByteBuffer text, int start)
    {
        var token = text.Span.Slice(start).ToArray().AsSpan();
        var rest = token.Slice(1, token.Length - 2);
        text.Truncate(start);
        text.Append((byte)'"');
        while (!rest.IsEmpty)
        {
            if (rest[0] == '\\')
            {
                var error = Unescape(text, token, ref rest);
                if (error is not null)
                {
                    return error;
                }

                continue;
            }

            var codePoint = ModifiedUtf8.Decode(rest, out var length);
            if (codePoint < 0)
            {
                return "invalid UTF-8 sequence in string";
            }

            if (codePoint == 0)
            {
                text.AppendAscii("\\u0000");
            }
            else if (codePoint == '"')
            {
                text.AppendAscii("\\\"");
            }
            else
            {
                text.Append(rest.Slice(0, length));
            }

            rest = rest.Slice(length);
        }

        text.Append((byte)'"');
        return null;
    }

    private static string? Unescape(ByteBuffer text, ReadOnlySpan<byte> token, ref Span<byte> rest)
    {
        var escaped = rest[1];
        if (escaped != 'u')
        {
            if ("\"'\\/bfnrt".IndexOf((char)escaped) < 0)
            {
                return "invalid escape sequence in string";
            }

            if (escaped != '\'')
            {
                text.Append((byte)'\\');
            }

            text.Append(escaped);
            rest = rest.Slice(2);
            return null;
        }

        var length = TryUnit(rest, out var unit) ? 6 : 0;
        long codePoint = unit;
        if (unit is >= 0xD800 and <= 0xDBFF && TryUnit(rest.Slice(6), out var low) && low is >= 0xDC00 and <= 0xDFFF)
        {
            codePoint = char.ConvertToUtf32((char)unit, (char)low);
            length = 12;
        }

        if (length == 0 || !ModifiedUtf8.IsCharacter(codePoint))
        {
            // QEMU quotes the four bytes that follow, the closing quote among them.
            var digits = token.Slice(token.Length - rest.Length + 1);
            return $"\\u{ModifiedUtf8.ToText(digits.Slice(0, Math.Min(4, digits.Length)))} is not a valid Unicode character";
        }

        text.Append(rest.Slice(0, length));
        rest = rest.Slice(length);
        return null;
    }

    private static bool TryUnit(ReadOnlySpan<byte> bytes, out int unit)
    {
        unit = 0;
        if (bytes.Length < 6 || bytes[0] != '\\' || bytes[1] != 'u')
        {
            return false;
        }

        var digits = Encoding.ASCII.GetString(bytes.Slice(2, 4).ToArray());
        return int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out unit);
    }
}
