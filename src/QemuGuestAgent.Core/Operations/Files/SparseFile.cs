namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>Files of which long runs of zeros are not written: most file systems keep holes there.</summary>
internal static class SparseFile
{
    private const int Run = 64 << 10;

    private static readonly byte[] Zeros = new byte[Run];

    /// <summary>Whether bytes are zeros only.</summary>
    public static bool IsHole(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > Run && bytes.Slice(0, Run).SequenceEqual(Zeros))
        {
            bytes = bytes.Slice(Run);
        }

        return bytes.Length <= Run && bytes.SequenceEqual(Zeros.AsSpan(0, bytes.Length));
    }

    /// <summary>Writes bytes at the end of a file.</summary>
    public static void Write(FileStream file, byte[] bytes, int count)
    {
        var end = file.Position + count;
        for (int at = 0, length; at < count; at += length)
        {
            length = Math.Min(Run, count - at);
            if (IsHole(bytes.AsSpan(at, length)))
            {
                file.Position += length;
            }
            else
            {
                file.Write(bytes, at, length);
            }
        }

        if (file.Length < end)
        {
            file.SetLength(end);
        }
    }
}
