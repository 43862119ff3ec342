using System.Text;
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
