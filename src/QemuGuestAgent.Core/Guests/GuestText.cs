using System.Text;

namespace QemuGuestAgent.Core.Guests;

/// <summary>Text that comes from a guest. A byte order mark is no part of it.</summary>
internal static class GuestText
{
    /// <summary>The byte order mark, as every Unicode encoding decodes it.</summary>
    public const char Mark = '\uFEFF';

    /// <summary>The encoding that a byte order mark tells; UTF-8 where there is none.</summary>
    public static Encoding ByMark(ReadOnlySpan<byte> start) =>
        start.Length >= 2 && start[0] == 0xFF && start[1] == 0xFE ? Encoding.Unicode
        : start.Length >= 2 && start[0] == 0xFE && start[1] == 0xFF ? Encoding.BigEndianUnicode
        : new UTF8Encoding(false);

    /// <summary>The text of bytes.</summary>
    public static string Decode(byte[] bytes, Encoding encoding) =>
        encoding.GetString(bytes) is var text && text.Length > 0 && text[0] == Mark ? text.Substring(1) : text;
}
