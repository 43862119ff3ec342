using System.Buffers;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Tests.Wire;

/// <summary>Bytes become lines: LF ends one, 0xFF drops one, the bound holds.</summary>
public sealed class FrameDecoderTests
{
    private const int Bound = 8;

    [Theory]
    [InlineData("a\nb\n", "a|b")]
    [InlineData("a\r\nb\r\n", "a\r|b\r")]
    [InlineData("\n\na\n\n", "||a|")]
    [InlineData("a\nb", "a")]
    [InlineData("", "")]
    [InlineData("abc", "")]
    public void A_line_is_what_stands_before_an_LF(string bytes, string lines) => Assert.Equal(lines, Lines(bytes));

    [Theory]
    [InlineData("\u00FFa\n", "*a")]
    [InlineData("a\u00FFb\n", "*b")]
    [InlineData("a\nb\u00FFc\nd\n", "a|*c|d")]
    [InlineData("\u00FF\u00FF\u00FFa\n", "*a")]
    [InlineData("a\u00FF\nb\n", "*|b")]
    [InlineData("a\u00FF", "")]
    [InlineData("a\n\u00FF", "a")]
    [InlineData("\u00FF\u00FFa\u00FFb\u00FFc\nd\u00FF\u00FFe\n", "*c|*e")]
    public void A_0xFF_drops_what_came_of_its_line_and_marks_the_rest(string bytes, string lines) =>
        Assert.Equal(lines, Lines(bytes));

    [Fact]
    public void A_line_of_exactly_the_bound_is_taken() => Assert.Equal("12345678|b", Lines("12345678\nb\n"));

    [Fact]
    public void A_line_past_the_bound_is_too_long() => Assert.Equal("a|TooLong", Lines("a\n123456789\nb\n"));

    [Fact]
    public void A_line_past_the_bound_is_too_long_before_its_end_is_seen() => Assert.Equal("TooLong", Lines("123456789"));

    [Fact]
    public void The_bound_begins_anew_behind_a_0xFF() => Assert.Equal("*12345678", Lines("12345678\u00FF12345678\n"));

    [Theory]
    [InlineData("123456789\nb\n", "b", 10, 1)]
    [InlineData("123456789", "", 9, 0)]
    [InlineData("12345678\nb\n", "12345678|b", 0, 0)]
    [InlineData("123456789123456789\u00FFb\n", "*b", 18, 1)]
    [InlineData("123456789\n\u00FF123456789\nb\n", "b", 20, 2)]
    [InlineData("abc\u00FF\u00FFd\u00FFe\nf\n", "*e|f", 4, 2)]
    [InlineData("123456789123456789\n123456789123456789\na\n", "a", 38, 2)]
    public void While_dropping_long_lines_are_dropped_and_counted(
        string bytes, string lines, long bytesDropped, long linesDropped)
    {
        var decoder = new FrameDecoder(Bound) { DropsLongLines = true };
        Assert.Equal(lines, Read(decoder, bytes, [bytes.Length + 1], [1]));
        Assert.Equal((bytesDropped, linesDropped), (decoder.BytesDropped, decoder.LinesDropped));
        foreach (var cuts in new int[][] { [1], [2], [3, 1], [9], [10] })
        {
            var other = new FrameDecoder(Bound) { DropsLongLines = true };
            Assert.Equal(lines, Read(other, bytes, cuts, [1, 0, 2]));
            Assert.Equal((bytesDropped, linesDropped), (other.BytesDropped, other.LinesDropped));
        }
    }

    [Fact]
    public void While_dropping_no_more_than_the_bound_is_kept()
    {
        var decoder = new FrameDecoder(Bound) { DropsLongLines = true };
        var kept = ReadOnlySequence<byte>.Empty;
        for (var i = 0; i < 1000; i++)
        {
            var buffer = new ReadOnlySequence<byte>([.. kept.ToArray(), .. "12345"u8]);
            Assert.Equal(FrameStatus.NeedMore, decoder.Decode(buffer, out _, out _, out var consumed));
            kept = buffer.Slice(consumed);
            Assert.InRange(kept.Length, 0, Bound);
        }

        Assert.Equal(5000, decoder.BytesDropped + kept.Length);
    }

    [Fact]
    public void A_line_begun_while_dropping_is_dropped_to_its_end_although_dropping_has_stopped()
    {
        var decoder = new FrameDecoder(Bound) { DropsLongLines = true };
        Assert.Equal("", Read(decoder, "1234567890", [10], [10]));
        decoder.DropsLongLines = false;
        Assert.Equal("b", Read(decoder, "12\nb\n", [5], [5]));
        Assert.Equal((13L, 1L), (decoder.BytesDropped, decoder.LinesDropped));
    }

    [Fact]
    public void A_smaller_bound_holds_for_what_is_at_hand_already()
    {
        var decoder = new FrameDecoder(100) { DropsLongLines = true };
        var bytes = Bytes.Of("12345678901234567890");
        Assert.Equal(FrameStatus.NeedMore, decoder.Decode(new ReadOnlySequence<byte>(bytes), out _, out _, out _));
        decoder.MaxLineBytes = Bound;
        var buffer = new ReadOnlySequence<byte>([.. bytes, .. "\nb\n"u8]);
        Assert.Equal(FrameStatus.Line, decoder.Decode(buffer, out var line, out _, out _));
        Assert.Equal(("b", 21L), (Bytes.Text(line), decoder.BytesDropped));
    }

    [Fact]
    public void No_byte_is_looked_at_twice()
    {
        // What was scanned may even be changed: the decoder goes on behind it.
        var decoder = new FrameDecoder(100);
        Assert.Equal(FrameStatus.NeedMore, decoder.Decode(new ReadOnlySequence<byte>("abc"u8.ToArray()), out _, out _, out _));
        var buffer = new ReadOnlySequence<byte>("a\ncd\n"u8.ToArray());
        Assert.Equal(FrameStatus.Line, decoder.Decode(buffer, out var line, out _, out _));
        Assert.Equal("a\ncd", Bytes.Text(line));
    }

    // The lines joined by '|', a '*' before each that follows a 0xFF; the same however the bytes are cut.
    private static string Lines(string bytes)
    {
        var whole = Read(new FrameDecoder(Bound), bytes, [bytes.Length + 1], [bytes.Length + 1]);
        foreach (var cuts in new int[][] { [1], [2], [1, 3], [5, 1] })
        {
            Assert.Equal(whole, Read(new FrameDecoder(Bound), bytes, cuts, [1]));
            Assert.Equal(whole, Read(new FrameDecoder(Bound), bytes, cuts, [0, 2, 1]));
        }

        return whole;
    }

    private static string Read(FrameDecoder decoder, string text, int[] cuts, int[] segments)
    {
        var lines = new List<string>();
        var (bytes, consumedBytes, given) = (Bytes.Of(text), 0, 0);
        for (var i = 0; given < bytes.Length; i++)
        {
            given = Math.Min(bytes.Length, given + cuts[i % cuts.Length]);
            while (true)
            {
                var buffer = Bytes.InSegments(bytes.AsMemory(consumedBytes, given - consumedBytes), segments);
                var status = decoder.Decode(buffer, out var line, out var afterSentinel, out var consumed);
                consumedBytes += (int)buffer.Slice(0, consumed).Length;
                if (status == FrameStatus.TooLong)
                {
                    return string.Join("|", [.. lines, "TooLong"]);
                }

                if (status == FrameStatus.NeedMore)
                {
                    break;
                }

                lines.Add((afterSentinel ? "*" : "") + Bytes.Text(line));
            }
        }

        return string.Join("|", lines);
    }
}
