using System.Text;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Processes;

namespace QemuGuestAgent.Core.Tests.Guests;

public sealed class LineReaderTests
{
    private const string Text = "one\ntwö 漢字 😀\r\n\n\rthree\r\r\nno end";
    private static readonly string[] Lines = ["one", "twö 漢字 😀", "", "\rthree\r", "no end"];

    public static TheoryData<string> Encodings => ["utf-8", "utf-16", "utf-16BE", "utf-32"];

    [Theory]
    [MemberData(nameof(Encodings))]
    public void Lines_are_the_same_wherever_the_bytes_are_cut(string name)
    {
        var encoding = Encoding.GetEncoding(name);
        byte[] bytes = [.. encoding.GetPreamble(), .. encoding.GetBytes(Text)];
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            Assert.Equal(Lines, Read(encoding, bytes[..cut], bytes[cut..]));
        }

        Assert.Equal(Lines, Read(encoding, [.. bytes.Select(b => new[] { b })]));
    }

    [Theory]
    [InlineData("utf-16")]
    [InlineData("utf-16BE")]
    [InlineData("utf-32")]
    [InlineData("utf-32BE")]
    public void A_byte_order_mark_tells_the_encoding_where_UTF8_is_expected(string name)
    {
        var encoding = Encoding.GetEncoding(name);
        byte[] bytes = [.. encoding.GetPreamble(), .. encoding.GetBytes(Text)];
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            Assert.Equal(Lines, Read(new UTF8Encoding(false), bytes[..cut], bytes[cut..]));
        }

        Assert.Equal(Text, GuestText.Decode(bytes, new UTF8Encoding(false)));
    }

    [Theory]
    [InlineData(new byte[] { 0xFF }, "\uFFFD")]
    [InlineData(new byte[] { 0xFE, (byte)'a' }, "\uFFFDa")]
    [InlineData(new byte[] { 0, (byte)'a' }, "\0a")]
    public void The_beginning_of_a_mark_is_none(byte[] bytes, string expected)
    {
        Assert.Equal([expected], Read(new UTF8Encoding(false), bytes));
        Assert.Equal([expected], Read(new UTF8Encoding(false), [.. bytes.Select(b => new[] { b })]));
        Assert.Equal(expected, GuestText.Decode(bytes, new UTF8Encoding(false)));
    }

    [Fact]
    public void Bytes_that_are_no_text_are_no_failure() =>
        Assert.Equal(["a\uFFFDb", "\uFFFD"], Read(new UTF8Encoding(false), [(byte)'a', 0xFF, (byte)'b', (byte)'\n', 0xE2]));

    [Fact]
    public void Nothing_is_no_line() => Assert.Empty(Read(new UTF8Encoding(false), []));

    [Fact]
    public void A_line_without_end_is_cut()
    {
        var reader = new LineReader(GuestOutputKind.Error, Encoding.UTF8, 1 << 20);
        var piece = new byte[64 << 10];
        Array.Fill(piece, (byte)'x');
        var lines = Enumerable.Range(0, 100).SelectMany(_ => reader.Read(piece)).ToList();
        Assert.All(lines, line => Assert.InRange(line.Text.Length, 1 << 20, (1 << 20) + piece.Length));
        Assert.Equal(100 * piece.Length, lines.Concat(reader.Finish()).Sum(line => line.Text.Length));
    }

    private static IEnumerable<string> Read(Encoding encoding, params byte[][] pieces)
    {
        var reader = new LineReader(GuestOutputKind.Output, encoding, 1 << 20);
        var lines = pieces.SelectMany(piece => reader.Read(piece)).ToList();
        return [.. lines.Concat(reader.Finish()).Select(line => line.Text)];
    }
}
