namespace QemuGuestAgent.EmbeddedAgent.Wire;

/// <summary>Base64 as qemu-ga reads it: foreign characters are refused, an incomplete last group is silently dropped.</summary>
internal static class LenientBase64
{
    public static byte[] Decode(string text)
    {
        var bytes = new byte[(text.Length / 4 * 3) + 3];
        var length = 0;
        var group = 0;
        var digits = 0;
        var padding = 0;
        foreach (var c in text)
        {
            if (c == '\n')
            {
                continue;
            }

            group = (group << 6) | Value(c);
            padding = c == '=' ? padding + 1 : 0;
            if (++digits < 4)
            {
                continue;
            }

            for (var i = 0; i < 3 - Math.Min(padding, 2); i++)
            {
                bytes[length++] = (byte)(group >> (16 - (8 * i)));
            }

            group = 0;
            digits = 0;
            padding = 0;
        }

        Array.Resize(ref bytes, length);
        return bytes;
    }

    private static int Value(char c) => c switch
    {
        >= 'A' and <= 'Z' => c - 'A',
        >= 'a' and <= 'z' => c - 'a' + 26,
        >= '0' and <= '9' => c - '0' + 52,
        '+' => 62,
        '/' => 63,
        '=' => 0,
        _ => throw new EmbeddedCommandException("Base64 data contains invalid characters"),
    };
}
