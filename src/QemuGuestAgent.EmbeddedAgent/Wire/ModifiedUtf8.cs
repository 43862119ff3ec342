using System.Text;

namespace QemuGuestAgent.EmbeddedAgent.Wire;

/// <summary>UTF-8 as QEMU reads it: no surrogates, no noncharacters, and C0 80 for U+0000.</summary>
internal static class ModifiedUtf8
{
    /// <summary>Decodes the first character; returns -1 if it is invalid. Takes at least one byte either way.</summary>
    public static int Decode(ReadOnlySpan<byte> bytes, out int length)
    {
        var lead = bytes[0];
        length = 1;
        if (lead < 0x80)
        {
            return lead;
        }

        var continuation = lead switch { < 0xC0 => 0, < 0xE0 => 1, < 0xF0 => 2, < 0xF8 => 3, < 0xFC => 4, < 0xFE => 5, _ => 0 };
        if (continuation == 0)
        {
            return -1;
        }

        long value = lead & (0x3F >> continuation);
        while (length <= continuation)
        {
            if (length == bytes.Length || (bytes[length] & 0xC0) != 0x80)
            {
                return -1;
            }

            value = (value << 6) | (uint)(bytes[length++] & 0x3F);
        }

        var shortest = continuation switch { 1 => 0x80, 2 => 0x800, 3 => 0x10000, _ => long.MaxValue };
        var isValid = value == 0 ? continuation == 1 : value >= shortest && IsCharacter(value);
        return isValid ? (int)value : -1;
    }

    /// <summary>Whether QEMU takes the code point for a character.</summary>
    public static bool IsCharacter(long codePoint) =>
        codePoint is <= 0x10FFFF and not (>= 0xD800 and <= 0xDFFF) and not (>= 0xFDD0 and <= 0xFDEF)
        && (codePoint & 0xFFFE) != 0xFFFE;

    /// <summary>The text up to the first zero byte, as an error text shows it: each invalid sequence becomes U+FFFD.</summary>
    public static string ToText(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        while (!bytes.IsEmpty && bytes[0] != 0)
        {
            var codePoint = Decode(bytes, out var length);
            text.Append(codePoint < 0 ? "\uFFFD" : char.ConvertFromUtf32(codePoint));
            bytes = bytes.Slice(length);
        }

        return text.ToString();
    }
}
