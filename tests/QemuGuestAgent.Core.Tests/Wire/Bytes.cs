using System.Buffers;
using System.Text;

namespace QemuGuestAgent.Core.Tests.Wire;

/// <summary>Bytes as a pipe hands them out, in segments of any length. Text is Latin-1: \u00FF is the byte 0xFF.</summary>
internal static class Bytes
{
    public static byte[] Of(string text) => Encoding.Latin1.GetBytes(text);

    public static string Text(in ReadOnlySequence<byte> bytes) => Encoding.Latin1.GetString(bytes.ToArray());

    /// <summary>A sequence whose segments have the lengths given by turns; zero is an empty segment.</summary>
    public static ReadOnlySequence<byte> InSegments(ReadOnlyMemory<byte> bytes, params int[] lengths)
    {
        var first = new Segment(bytes[..Math.Min(lengths[0], bytes.Length)], null);
        var last = first;
        bytes = bytes[last.Memory.Length..];
        for (var i = 1; bytes.Length > 0; i++)
        {
            last = new Segment(bytes[..Math.Min(lengths[i % lengths.Length], bytes.Length)], last);
            bytes = bytes[last.Memory.Length..];
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? before)
        {
            Memory = memory;
            if (before is not null)
            {
                RunningIndex = before.RunningIndex + before.Memory.Length;
                before.Next = this;
            }
        }
    }
}
