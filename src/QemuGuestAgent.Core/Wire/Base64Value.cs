using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;

namespace QemuGuestAgent.Core.Wire;

/// <summary>Decodes a base64 string of a reply from the receive buffer, piece by piece: there is no string, and no second copy.</summary>
internal static class Base64Value
{
    private const int GroupChars = 4;

    /// <summary>Decodes the current string of a reader; returns the number of bytes.</summary>
    /// <exception cref="FormatException">It is not base64, or longer than the memory for it.</exception>
    public static int Read(ref Utf8JsonReader reader, Span<byte> destination)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            throw new FormatException("the base64 value is not a string.");
        }

        if (reader.ValueIsEscaped)
        {
            // Unneeded escapes do not occur in practice, but would be valid.
            var bytes = reader.GetBytesFromBase64();
            CheckRoom(bytes.Length, destination.Length);
            bytes.CopyTo(destination);
            return bytes.Length;
        }

        return reader.HasValueSequence
            ? Decode(reader.ValueSequence, destination)
            : Decode(reader.ValueSpan, destination, isLast: true).Written;
    }

    private static int Decode(in ReadOnlySequence<byte> text, Span<byte> destination)
    {
        var written = 0;
        var carried = 0;
        var remaining = text.Length;
        Span<byte> group = stackalloc byte[GroupChars];
        foreach (var segment in text)
        {
            var rest = segment.Span;
            remaining -= rest.Length;

            // A group may begin in one piece and end in another.
            while (carried > 0 && !rest.IsEmpty)
            {
                group[carried++] = rest[0];
                rest = rest.Slice(1);
                if (carried == GroupChars)
                {
                    written += Decode(group, destination.Slice(written), remaining + rest.Length == 0).Written;
                    carried = 0;
                }
            }

            var (read, count) = Decode(rest, destination.Slice(written), remaining == 0);
            written += count;
            carried += rest.Length - read;
            rest.Slice(read).CopyTo(group);
        }

        return carried == 0 ? written : throw NotBase64();
    }

    private static (int Read, int Written) Decode(ReadOnlySpan<byte> text, Span<byte> destination, bool isLast) =>
        Base64.DecodeFromUtf8(text, destination, out var read, out var written, isLast) switch
        {
            OperationStatus.Done => (read, written),
            OperationStatus.NeedMoreData when !isLast && text.Length - read < GroupChars => (read, written),
            OperationStatus.DestinationTooSmall => throw TooLong(),
            _ => throw NotBase64(),
        };

    private static void CheckRoom(int length, int room)
    {
        if (length > room)
        {
            throw TooLong();
        }
    }

    private static FormatException NotBase64() => new("the value is not valid base64.");

    private static FormatException TooLong() => new("it has more bytes than were requested.");
}
