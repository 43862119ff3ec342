using System.Buffers;
using System.Text.Json;
using QemuGuestAgent.Core.Tests.Wire;
using QemuGuestAgent.Core.Wire;
using static QemuGuestAgent.Fuzz.FuzzTargets;

namespace QemuGuestAgent.Fuzz;

/// <summary>
/// Bytes of a guest into the frame decoder and the reply reader, cut as the input itself says: nothing throws, nothing hangs, every
/// bound is kept, and the lines are those of a plain reading of the whole.
/// </summary>
internal static class WireTarget
{
    // How many bytes of the input say how the others are cut.
    private const int Header = 4;

    private const int MaxLine = 96;
    private const int MaxDepth = 6;
    private const int MaxValues = 24;

    /// <summary>Runs it.</summary>
    /// <param name="input">Whether long lines are dropped, the lengths of two segments by turns, the bytes that come at once; the stream.</param>
    /// <param name="met">Told what each line was.</param>
    public static void Run(byte[] input, Action<ReplyKind>? met = null)
    {
        if (input.Length < Header)
        {
            return;
        }

        var bytes = input.AsMemory(Header);
        var drops = (input[0] & 1) == 0;
        var decoder = new FrameDecoder(MaxLine) { DropsLongLines = drops };
        using var expected = Reference(bytes, drops).GetEnumerator();
        var (consumedBytes, given, lineBytes, sentinels) = (0, 0, 0L, 0);
        for (var steps = 0; ; steps++)
        {
            Check(steps <= 2 * bytes.Length + 2, "There is no progress.");
            var buffer = Bytes.InSegments(bytes[consumedBytes..given], 1 + input[1], input[2]);
            var status = decoder.Decode(buffer, out var line, out var afterSentinel, out var consumed);
            var count = (int)buffer.Slice(0, consumed).Length;
            sentinels += bytes.Span.Slice(consumedBytes, count).Count(FrameDecoder.Sentinel);
            consumedBytes += count;
            if (status == FrameStatus.Line)
            {
                Check(line.Length <= MaxLine, "A line passes the bound.");
                Check(expected.MoveNext() && expected.Current == (Bytes.Text(line), afterSentinel), "This line is not there.");
                lineBytes += line.Length + 1;
                met?.Invoke(Parse(line));
            }
            else if (status == FrameStatus.TooLong)
            {
                Check(!drops, "A line should have been dropped.");
                var begun = buffer.Slice(consumed).ToArray();
                Check(begun.Length > MaxLine && begun.AsSpan(0, MaxLine + 1).IndexOfAny((byte)'\n', FrameDecoder.Sentinel) < 0,
                    "The line at hand is not too long.");
                return;
            }
            else
            {
                Check(buffer.Slice(consumed).Length <= MaxLine, "More is kept than the bound.");
                if (given == bytes.Length)
                {
                    break;
                }

                given = Math.Min(bytes.Length, given + 1 + input[3]);
            }
        }

        Check(!expected.MoveNext(), "A line is missing.");
        Check(consumedBytes == lineBytes + sentinels + decoder.BytesDropped, "A byte was neither a line's nor dropped and counted.");
    }

    private static ReplyKind Parse(in ReadOnlySequence<byte> line)
    {
        var reply = Reply.Parse(line, MaxDepth, MaxValues);
        _ = WireMask.Show(line);
        if (reply.Kind == ReplyKind.Return)
        {
            var reader = reply.OpenReturn();
            var value = JsonElement.ParseValue(ref reader);
            var isNumber = value.ValueKind == JsonValueKind.Number;
            Check((isNumber && value.TryGetInt64(out var number) ? number : null) == reply.ReturnedNumber, "The number is another.");
        }

        return reply.Kind;
    }

    // The same rules, written down for a whole stream at once.
    private static IEnumerable<(string Line, bool AfterSentinel)> Reference(ReadOnlyMemory<byte> bytes, bool drops)
    {
        var (start, afterSentinel) = (0, false);
        for (var i = 0; i < bytes.Length; i++)
        {
            var length = i - start;
            if (bytes.Span[i] == FrameDecoder.Sentinel)
            {
                (start, afterSentinel) = (i + 1, true);
            }
            else if (bytes.Span[i] == '\n')
            {
                if (length <= MaxLine)
                {
                    yield return (Bytes.Text(new ReadOnlySequence<byte>(bytes.Slice(start, length))), afterSentinel);
                }
                else if (!drops)
                {
                    yield break;
                }

                (start, afterSentinel) = (i + 1, false);
            }
        }
    }
}
