using System.Buffers;
using System.Text.Json;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Tests.Wire;

/// <summary>
/// Random bytes, and mutations of true conversations, cut at random: nothing throws, nothing hangs, every bound is kept.
/// </summary>
public sealed class WireFuzzTests
{
    private const int MaxLine = 96;
    private const int MaxDepth = 6;
    private const int MaxValues = 24;

    // In four parts, which run side by side.
    [Theory]
    [InlineData(1_000_000)]
    [InlineData(2_000_000)]
    [InlineData(3_000_000)]
    [InlineData(4_000_000)]
    public void A_hundred_thousand_streams_do_no_harm(int firstSeed)
    {
        var kinds = new int[Enum.GetValues<ReplyKind>().Length];
        for (var seed = firstSeed; seed < firstSeed + 25_000; seed++)
        {
            try
            {
                Read(new Random(seed), kinds);
            }
            catch (Exception e)
            {
                Assert.Fail($"Seed {seed}: {e}");
            }
        }

        // The streams reach everything that a line can be.
        Assert.All(kinds, count => Assert.True(count > 10, string.Join(' ', kinds)));
    }

    private static void Read(Random random, int[] kinds)
    {
        var bytes = FuzzBytes.Next(random);
        var drops = random.Next(2) == 0;
        var decoder = new FrameDecoder(MaxLine) { DropsLongLines = drops };
        var expected = Reference(bytes, drops).GetEnumerator();
        var (consumedBytes, given, lineBytes, sentinels) = (0, 0, 0, 0);
        for (var steps = 0; ; steps++)
        {
            Assert.True(steps <= 2 * bytes.Length + 2, "There is no progress.");
            var unconsumed = bytes.AsMemory(consumedBytes, given - consumedBytes);
            var buffer = Bytes.InSegments(unconsumed, random.Next(1, 80), random.Next(0, 20));
            var status = decoder.Decode(buffer, out var line, out var afterSentinel, out var consumed);
            var count = (int)buffer.Slice(0, consumed).Length;
            sentinels += bytes.AsSpan(consumedBytes, count).Count((byte)0xFF);
            consumedBytes += count;
            if (status == FrameStatus.Line)
            {
                Assert.InRange(line.Length, 0, MaxLine);
                Assert.True(expected.MoveNext());
                Assert.Equal(expected.Current, (Bytes.Text(line), afterSentinel));
                lineBytes += (int)line.Length + 1;
                kinds[(int)Parse(line)]++;
            }
            else if (status == FrameStatus.TooLong)
            {
                Assert.False(drops);
                var begun = buffer.Slice(consumed).ToArray();
                Assert.True(begun.Length > MaxLine && begun.AsSpan(0, MaxLine + 1).IndexOfAny((byte)'\n', (byte)0xFF) < 0);
                return;
            }
            else
            {
                Assert.InRange(buffer.Slice(consumed).Length, 0, MaxLine);
                if (given == bytes.Length)
                {
                    break;
                }

                given = Math.Min(bytes.Length, given + random.Next(1, 1 + bytes.Length));
            }
        }

        // Every byte was a line's, was dropped and counted, or is still at hand.
        Assert.False(expected.MoveNext());
        Assert.Equal(consumedBytes, lineBytes + sentinels + decoder.BytesDropped);
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
            Assert.Equal(isNumber && value.TryGetInt64(out var number) ? number : null, reply.ReturnedNumber);
        }

        return reply.Kind;
    }

    // The same rules, written down for a whole stream at once.
    private static IEnumerable<(string Line, bool AfterSentinel)> Reference(byte[] bytes, bool drops)
    {
        var (start, afterSentinel) = (0, false);
        for (var i = 0; i < bytes.Length; i++)
        {
            var length = i - start;
            if (bytes[i] == 0xFF)
            {
                (start, afterSentinel) = (i + 1, true);
            }
            else if (bytes[i] == '\n')
            {
                if (length <= MaxLine)
                {
                    yield return (Bytes.Text(new ReadOnlySequence<byte>(bytes, start, length)), afterSentinel);
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
