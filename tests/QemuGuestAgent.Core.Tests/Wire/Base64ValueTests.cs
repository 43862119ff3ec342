using System.Buffers;
using System.Text;
using System.Text.Json;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Tests.Wire;

/// <summary>Base64 of a reply, decoded from memory in any number of pieces.</summary>
public sealed class Base64ValueTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(10)]
    public void Bytes_come_out_however_the_text_is_cut(int length)
    {
        var bytes = Enumerable.Range(0, length).Select(b => (byte)(251 + b)).ToArray();
        var json = Encoding.UTF8.GetBytes($"\"{Convert.ToBase64String(bytes)}\"");
        for (var first = 0; first <= json.Length; first++)
        {
            for (var second = 0; second <= json.Length - first; second++)
            {
                Assert.Equal(bytes, Read(Bytes.InSegments(json, first, second, json.Length), length));
            }
        }

        Assert.Equal(bytes, Read(Bytes.InSegments(json, 1), length));
    }

    [Theory]
    [InlineData("\"AQI\"")]
    [InlineData("\"AQ=\"")]
    [InlineData("\"A===\"")]
    [InlineData("\"AQ==AQID\"")]
    [InlineData("\"AQI!\"")]
    [InlineData("\"AQIü\"")]
    [InlineData("\"AQIDBAUG\"")]
    [InlineData("\"\\u0041QIDBAUG\"")]
    [InlineData("\"\\u0041Q\"")]
    [InlineData("7")]
    [InlineData("null")]
    public void What_is_no_base64_or_too_long_is_refused(string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        for (var cut = 0; cut < bytes.Length; cut++)
        {
            Assert.Throws<FormatException>(() => Read(Bytes.InSegments(bytes, cut, bytes.Length), 5));
        }
    }

    [Fact]
    public void Escapes_are_taken()
    {
        Assert.Equal([1, 2, 3], Read(Bytes.InSegments(Encoding.UTF8.GetBytes("\"\\u0041QID\""), 20), 3));
        Assert.Equal([0xFF], Read(Bytes.InSegments(Encoding.UTF8.GetBytes("\"\\/w==\""), 20), 1));
    }

    private static byte[] Read(ReadOnlySequence<byte> json, int room)
    {
        var reader = new Utf8JsonReader(json);
        Assert.True(reader.Read());
        var memory = new byte[room];
        return memory[..Base64Value.Read(ref reader, memory)];
    }
}
