namespace QemuGuestAgent.Core.Tests.Wire;

/// <summary>Makes byte streams that an agent might send, and many that it never would.</summary>
internal static class FuzzBytes
{
    private static readonly string[] Lines =
    [
        "", "\r", "HTTP/1.1 400 Bad Request\r", """{"return": {}}""", """{"return": 4711, "id": 7}""",
        """{"return": {"a": [1, -2.5e3, null, true, "x"]}, "id": 9223372036854775807}""",
        """{"error": {"class": "GenericError", "desc": "no \u001b[31m"}}""",
        """{"error": {"class": "CommandNotFound", "desc": ""}, "id": 7}""",
        """{"execute":"guest-ping","id":7}""", """{"return": {"buf-b64": "c2VjcmV0", "eof": false}}""",
        """{"return": [[[[[[[[1]]]]]]]]}""", """{"return": {"a":{"b":{"c":{"d":{"e":{"f":{}}}}}}}}""",
        """{"return": [1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8]}""",
        """{"a":1,"b":2,"return":"\ud83d\ude00 \ud800"}""",
    ];

    private static readonly string[] Pieces =
    [
        "\u00FF", "\n", "\r\n", "\0", "{", "}", "[", "]", "\"", "\\", ",", ":", "\\ud800", "\\u0000", "1e999", "-", "null",
        "9223372036854775808", "\"return\":", "\"error\":", "\"id\":", "\"class\":", "\"execute\":", "\u00C3\u00A9",
        "\u00E2\u0082", new string('A', 100), new string('[', 30),
    ];

    public static byte[] Next(Random random)
    {
        if (random.Next(8) == 0)
        {
            var bytes = new byte[random.Next(0, 200)];
            random.NextBytes(bytes);
            return bytes;
        }

        var conversation = new List<byte>();
        for (var lines = random.Next(1, 4); lines > 0; lines--)
        {
            conversation.AddRange(Bytes.Of((random.Next(4) == 0 ? "\u00FF" : "") + Lines[random.Next(Lines.Length)] + "\n"));
        }

        for (var mutations = random.Next(4); mutations > 0; mutations--)
        {
            Mutate(random, conversation);
        }

        return [.. conversation];
    }

    private static void Mutate(Random random, List<byte> bytes)
    {
        var at = random.Next(bytes.Count + 1);
        var count = random.Next(Math.Min(bytes.Count - at, 40) + 1);
        switch (random.Next(5))
        {
            case 0: bytes.InsertRange(at, Bytes.Of(Pieces[random.Next(Pieces.Length)])); break;
            case 1: bytes.RemoveRange(at, count); break;
            case 2: bytes.InsertRange(at, bytes.GetRange(at, count)); break;
            case 3: bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(at, count)); break;
            default:
                if (at < bytes.Count)
                {
                    bytes[at] = (byte)(random.Next(2) == 0 ? random.Next(256) : bytes[at] ^ (1 << random.Next(8)));
                }

                break;
        }
    }
}
