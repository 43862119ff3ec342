using System.Buffers;

namespace QemuGuestAgent.Core.Wire;

/// <summary>What <see cref="FrameDecoder.Decode"/> found.</summary>
internal enum FrameStatus
{
    /// <summary>The bytes do not contain a complete line yet.</summary>
    NeedMore,

    /// <summary>A complete line.</summary>
    Line,

    /// <summary>The current line is longer than the limit.</summary>
    TooLong,
}

/// <summary>
/// Cuts the agent's bytes into lines. A reply is pure ASCII and ends with LF (protocol: framing 1), so LF and 0xFF are searched for in the
/// bytes. A 0xFF resets the framing wherever it occurs: the part of the line before it is dropped (rule S5).
/// Each call gets the bytes that earlier calls did not consume and those received since; nothing is scanned twice.
/// </summary>
internal sealed class FrameDecoder(long maxLineBytes)
{
    /// <summary>The byte that cannot occur in UTF-8: it flushes the parser on either side.</summary>
    public const byte Sentinel = 0xFF;

    private const byte LineFeed = (byte)'\n';

    private long _scanned;
    private bool _dropping;

    /// <summary>
    /// While set, a line longer than the bound is dropped up to its end and counted, instead of reported as too long.
    /// Set during a synchronisation, where everything before the sentinel may be dropped unread (rule S6).
    /// </summary>
    public bool DropsLongLines { get; set; }

    /// <summary>The maximum length of a line, in bytes.</summary>
    public long MaxLineBytes { get; set; } = maxLineBytes;

    /// <summary>Whether a sentinel came since the last line ended: the current line is the first after it.</summary>
    public bool AfterSentinel { get; private set; }

    /// <summary>Bytes dropped so far: before a sentinel, and of lines that were too long.</summary>
    public long BytesDropped { get; private set; }

    /// <summary>Lines dropped so far, whole or begun.</summary>
    public long LinesDropped { get; private set; }

    /// <summary>Searches for the next line.</summary>
    /// <param name="buffer">Bytes not consumed so far.</param>
    /// <param name="line">The line without its end, in the memory of <paramref name="buffer"/>.</param>
    /// <param name="afterSentinel">Whether the line directly follows a sentinel.</param>
    /// <param name="consumed">The number of bytes that are consumed (for a line: once the line has been read).</param>
    public FrameStatus Decode(
        ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> line, out bool afterSentinel, out SequencePosition consumed)
    {
        line = default;
        while (true)
        {
            var unscanned = buffer.Slice(_scanned);
            if (FindEnd(unscanned) is not { } end)
            {
                _scanned = buffer.Length;
                if (DropsLongLines && _scanned > MaxLineBytes)
                {
                    Drop(ref buffer, buffer.Length);
                    _dropping = true;
                }

                consumed = buffer.Start;
                afterSentinel = AfterSentinel;
                return _scanned > MaxLineBytes ? FrameStatus.TooLong : FrameStatus.NeedMore;
            }

            var length = _scanned + end.Offset;
            if (end.IsSentinel)
            {
                LinesDropped += length > 0 || _dropping ? 1 : 0;
                Drop(ref buffer, length + 1);
                BytesDropped--; // The sentinel itself does not count.
                _dropping = false;
                AfterSentinel = true;
                continue;
            }

            if (_dropping || (DropsLongLines && length > MaxLineBytes))
            {
                LinesDropped++;
                Drop(ref buffer, length + 1);
                _dropping = false;
                AfterSentinel = false;
                continue;
            }

            if (length > MaxLineBytes)
            {
                consumed = buffer.Start;
                afterSentinel = AfterSentinel;
                return FrameStatus.TooLong;
            }

            line = buffer.Slice(0, length);
            consumed = buffer.GetPosition(length + 1);
            afterSentinel = AfterSentinel;
            _scanned = 0;
            AfterSentinel = false;
            return FrameStatus.Line;
        }
    }

    private void Drop(ref ReadOnlySequence<byte> buffer, long count)
    {
        BytesDropped += count;
        buffer = buffer.Slice(count);
        _scanned = 0;
    }

    private static (long Offset, bool IsSentinel)? FindEnd(in ReadOnlySequence<byte> bytes)
    {
        long offset = 0;
        foreach (var segment in bytes)
        {
            var index = segment.Span.IndexOfAny(LineFeed, Sentinel);
            if (index >= 0)
            {
                return (offset + index, segment.Span[index] == Sentinel);
            }

            offset += segment.Length;
        }

        return null;
    }
}
