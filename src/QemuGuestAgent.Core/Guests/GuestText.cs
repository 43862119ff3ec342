using System.Text;

namespace QemuGuestAgent.Core.Guests;

/// <summary>Text that comes from a guest. A byte order mark is not part of it.</summary>
internal static class GuestText
{
    /// <summary>UTF-8, which writes no byte order mark.</summary>
    public static readonly Encoding Utf8 = new UTF8Encoding(false);

    /// <summary>The byte order mark, as every Unicode encoding decodes it.</summary>
    public const char Mark = '\uFEFF';

    private static readonly Encoding[] Marked =
        [new UTF32Encoding(false, true), new UTF32Encoding(true, true), new UnicodeEncoding(false, true), new UnicodeEncoding(true, true)];

    /// <summary>The encoding of a code page of Windows; UTF-8 where this system does not know it.</summary>
    public static Encoding CodePage(int number)
    {
        try
        {
            return number == Utf8.CodePage ? Utf8
#if NET
                // .NET knows those of Windows only by this provider.
                : CodePagesEncodingProvider.Instance.GetEncoding(number) is { } known ? known
#endif
                : Encoding.GetEncoding(number);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return Utf8;
        }
    }

    /// <summary>The encoding of a name.</summary>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static Encoding Named(string name) =>
#if NET
        CodePagesEncodingProvider.Instance.GetEncoding(name) ??
#endif
        Encoding.GetEncoding(name);

    /// <summary>The encoding of text: that of its byte order mark, if UTF-8 is expected, where such a mark cannot occur.</summary>
    /// <param name="start">The first bytes of the text, at least four of them if there are more.</param>
    /// <param name="expected">The encoding without a mark.</param>
    public static Encoding Choose(ReadOnlySpan<byte> start, Encoding expected)
    {
        if (expected.CodePage == Encoding.UTF8.CodePage)
        {
            foreach (var encoding in Marked)
            {
                if (start.StartsWith(encoding.GetPreamble()))
                {
                    return encoding;
                }
            }
        }

        return expected;
    }

    /// <summary>Whether more bytes are needed for <see cref="Choose"/>.</summary>
    public static bool MayBeMark(ReadOnlySpan<byte> start)
    {
        foreach (var encoding in Marked)
        {
            var mark = encoding.GetPreamble().AsSpan();
            if (start.Length < mark.Length && mark.StartsWith(start))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The text of bytes.</summary>
    /// <param name="bytes">All of them.</param>
    /// <param name="expected">The encoding without a byte order mark.</param>
    public static string Decode(byte[] bytes, Encoding expected)
    {
        var text = Choose(bytes, expected).GetString(bytes);
        return text.Length > 0 && text[0] == Mark ? text.Substring(1) : text;
    }
}
