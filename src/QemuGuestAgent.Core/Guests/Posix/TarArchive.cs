using System.Globalization;
using System.Text;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>
/// The little of tar's format (POSIX.1-2001) that files on their way need: plain files, whose names fit into a header. .NET's own tar
/// is not there for Windows PowerShell.
/// </summary>
internal static class TarArchive
{
    /// <summary>What a file takes beside its content: a header with its block of attributes, its own header, and the rest of its last block.</summary>
    public const int Overhead = 4 * Block;

    private const int Block = 512;
    private const int NameBytes = 100, PrefixAt = 345, PrefixBytes = 155;
    private const long MaxSeconds = (1L << 33) - 1;
    private const int SizeAt = 124, SizeDigits = 12, ChecksumAt = 148, ChecksumBytes = 8, TypeAt = 156;

    /// <summary>Whether a name fits into a header.</summary>
    public static bool Fits(string name) => Encoding.UTF8.GetByteCount(name) <= NameBytes;

    /// <summary>Adds a file.</summary>
    /// <param name="archive">The archive.</param>
    /// <param name="folder">The way to its folder; empty for none.</param>
    /// <param name="name">Its name.</param>
    /// <param name="content">Its content.</param>
    /// <param name="mode">Its permissions.</param>
    /// <param name="modified">When it was changed.</param>
    public static void Add(Stream archive, string folder, string name, ReadOnlyMemory<byte> content, int mode, DateTime modified)
    {
        // A header holds whole seconds only, and not all of them. The number at the beginning of a record counts itself.
        var seconds = Math.Max(0, UnixTime.ToSeconds(modified));
        var time = FormattableString.Invariant($" mtime={seconds:0.0000000}\n");
        var attributes = Encoding.ASCII.GetBytes((time.Length + 2).ToString(CultureInfo.InvariantCulture) + time);
        AddBlocks(archive, Header("", "attributes", attributes.Length, mode, 0, 'x'), attributes);
        AddBlocks(archive, Header(folder, name, content.Length, mode, (long)Math.Min(seconds, MaxSeconds), '0'), content);
    }

    /// <summary>Ends an archive.</summary>
    public static void End(Stream archive) => archive.Write(new byte[2 * Block], 0, 2 * Block);

    /// <summary>Reads archives that stand one after the other, up to the first that is not well-formed.</summary>
    /// <param name="archives">The archives.</param>
    /// <returns>The files of each. What is no plain file is left out.</returns>
    public static IEnumerable<IReadOnlyDictionary<string, ReadOnlyMemory<byte>>> Read(ReadOnlyMemory<byte> archives)
    {
        var files = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        var isIn = false;
        for (var at = 0; at + Block <= archives.Length;)
        {
            var header = archives.Slice(at, Block).ToArray();
            at += Block;
            if (Array.TrueForAll(header, b => b == 0))
            {
                if (isIn)
                {
                    yield return files;
                    files = new(StringComparer.Ordinal);
                    isIn = false;
                }

                continue;
            }

            isIn = true;
            if (Number(header, SizeAt, SizeDigits) is not { } size || size > archives.Length - at || Number(header, ChecksumAt, ChecksumBytes) != Checksum(header))
            {
                yield break;
            }

            if (header[TypeAt] is (byte)'0' or 0 && header[PrefixAt] == 0)
            {
                files[Text(header)] = archives.Slice(at, (int)size);
            }

            at += Blocks((int)size);
        }
    }

    private static void AddBlocks(Stream archive, byte[] header, ReadOnlyMemory<byte> content)
    {
        archive.Write(header, 0, header.Length);
        archive.Write(content.ToArray(), 0, content.Length);
        archive.Write(new byte[Block], 0, Blocks(content.Length) - content.Length);
    }

    private static byte[] Header(string folder, string name, int size, int mode, long seconds, char type)
    {
        var header = new byte[Block];
        void Put(int at, string text) => Encoding.UTF8.GetBytes(text, 0, text.Length, header, at);
        Put(0, name);
        Put(NameBytes, $"{Octal(mode, 7)}\0{Octal(0, 7)}\0{Octal(0, 7)}\0{Octal(size, 11)}\0{Octal(seconds, 11)}\0        {type}");
        Put(257, "ustar\000");
        Put(PrefixAt, folder);
        Put(ChecksumAt, $"{Octal(Checksum(header), 6)}\0 ");
        return header;
    }

    // As if the checksum itself were blanks.
    private static long Checksum(byte[] header)
    {
        var sum = ChecksumBytes * (long)' ';
        for (var i = 0; i < Block; i++)
        {
            sum += i is >= ChecksumAt and < ChecksumAt + ChecksumBytes ? 0 : header[i];
        }

        return sum;
    }

    private static string Octal(long number, int digits) => Convert.ToString(number, 8).PadLeft(digits, '0');

    private static long? Number(byte[] header, int at, int length)
    {
        var digits = Encoding.ASCII.GetString(header, at, length).Trim(' ', '\0');
        var number = 0L;
        foreach (var digit in digits)
        {
            if (digit is < '0' or > '7')
            {
                return null;
            }

            number = (8 * number) + (digit - '0');
        }

        return digits.Length > 0 ? number : null;
    }

    private static string Text(byte[] header)
    {
        var end = Array.IndexOf(header, (byte)0, 0, NameBytes);
        return Encoding.UTF8.GetString(header, 0, end < 0 ? NameBytes : end);
    }

    private static int Blocks(int bytes) => (bytes + Block - 1) / Block * Block;
}
