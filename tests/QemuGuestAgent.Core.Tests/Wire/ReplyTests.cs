using System.Buffers;
using System.Text;
using System.Text.Json;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Tests.Wire;

/// <summary>What a line is taken for.</summary>
public sealed class ReplyTests
{
    private const int Depth = 64;
    private const int Values = 100;

    [Theory]
    [InlineData("")]
    [InlineData("\r")]
    [InlineData(" \t \r")]
    public void White_space_is_blank(string line) => Assert.Equal(ReplyKind.Blank, Parse(line).Kind);

    [Theory]
    [InlineData("""{"return": {}}""", "{}")]
    [InlineData("""{"return": {"a": [1, {"b": null}]}}""", """{"a": [1, {"b": null}]}""")]
    [InlineData("""  {  "return"  :  [ ]  }  """ + "\r", "[ ]")]
    [InlineData("""{"return": -1.5e3}""", "-1.5e3")]
    [InlineData("""{"return": "a\"}\\"}""", """
        "a\"}\\"
        """)]
    [InlineData("""{"return": null, "more": [{"return": 1}]}""", "null")]
    [InlineData("""{"ret\u0075rn": true}""", "true")]
    public void A_return_is_a_return_whatever_its_value(string line, string value)
    {
        var reply = Parse(line);
        Assert.Equal(ReplyKind.Return, reply.Kind);
        Assert.Equal(value, Bytes.Text(reply.Return));
        Assert.Null(reply.Id);
        var reader = reply.OpenReturn();
        Assert.Equal(value, JsonElement.ParseValue(ref reader).GetRawText());
    }

    [Theory]
    [InlineData("""{"error": {"class": "GenericError", "desc": "no \u001b[31m"}}""", "GenericError", "no \u001b[31m")]
    [InlineData("""{"error": {"desc": "text first", "class": "A"}}""", "A", "text first")]
    [InlineData("""{"error": {"class": "A"}}""", "A", "")]
    [InlineData("""{"error": {"class": "A", "desc": 5, "more": {"class": "B"}}}""", "A", "")]
    public void An_error_is_its_class_and_its_text(string line, string errorClass, string text)
    {
        var reply = Parse(line);
        Assert.Equal((ReplyKind.Error, errorClass, text), (reply.Kind, reply.Error.Class, reply.Error.Description));
    }

    [Theory]
    [InlineData("""{"execute": "guest-ping"}""")]
    [InlineData("""{"execute":"guest-sync-delimited","arguments":{"id":1}}""")]
    public void A_request_is_an_echo(string line) => Assert.Equal(ReplyKind.Echo, Parse(line).Kind);

    [Theory]
    [InlineData("5")]
    [InlineData("[]")]
    [InlineData("\"return\"")]
    [InlineData("{}")]
    [InlineData("{")]
    [InlineData("}")]
    [InlineData("HTTP/1.1 400 Bad Request")]
    [InlineData("""{"QMP": {"version": {}}}""")]
    [InlineData("""{"event": "SHUTDOWN"}""")]
    [InlineData("""{"return": }""")]
    [InlineData("""{"return": {}""")]
    [InlineData("""{"return": {}},""")]
    [InlineData("""{"return": {"buf-b64": "QUJ""")]
    [InlineData("""{"return": {}, }""")]
    [InlineData("""{"return": 01}""")]
    [InlineData("""{return: 1}""")]
    [InlineData("""{"return": {}} // done""")]
    [InlineData("""{"return": {}, "error": {"class": "A", "desc": ""}}""")]
    [InlineData("""{"return": {}, "error": null}""")]
    [InlineData("""{"return": {}, "error": {}}""")]
    [InlineData("""{"return": {}, "execute": "guest-ping"}""")]
    [InlineData("""{"error": {"class": "A"}, "execute": "guest-ping"}""")]
    [InlineData("""{"error": "text"}""")]
    [InlineData("""{"error": ["class"]}""")]
    [InlineData("""{"error": null}""")]
    [InlineData("""{"error": {"desc": "no class"}}""")]
    [InlineData("""{"error": {"class": 5}}""")]
    [InlineData("""{"error": {"class": "A"}""")]
    [InlineData("""{"id": 5}""")]
    [InlineData("\u00E9{}")]
    public void What_is_not_one_whole_reply_is_malformed(string line) => Assert.Equal(ReplyKind.Malformed, Parse(line).Kind);

    [Theory]
    [InlineData("""{"return": {}}{"return": {}}""")]
    [InlineData("""{"return": {}} {"return": {}}""")]
    [InlineData("""{"return": {"count": 4, {"return": {}, "id": 7}""")]
    [InlineData("""{"return": {"buf-b64": "QUJD{"return": {}, "id": 7}""")]
    public void Two_replies_glued_on_one_line_are_neither(string line) => Assert.Equal(ReplyKind.Malformed, Parse(line).Kind);

    [Theory]
    [InlineData("""{"return": {}, "id": 7}""", 7L)]
    [InlineData("""{"id": 7, "return": {}}""", 7L)]
    [InlineData("""{"error": {"class": "A"}, "id": -7}""", -7L)]
    [InlineData("""{"id": -7, "error": {"class": "A", "id": 8}}""", -7L)]
    [InlineData("""{"return": {"id": 8}, "id": 9223372036854775807}""", long.MaxValue)]
    [InlineData("""{"return": {}, "id": 9223372036854775808}""", null)]
    [InlineData("""{"return": {}, "id": 1.0}""", null)]
    [InlineData("""{"return": {}, "id": 1e3}""", null)]
    [InlineData("""{"return": {}, "id": "7"}""", null)]
    [InlineData("""{"return": {}, "id": null}""", null)]
    [InlineData("""{"return": {}, "id": [7]}""", null)]
    [InlineData("""{"return": {"id": 7}}""", null)]
    [InlineData("""{"return": {}, "ID": 7}""", null)]
    public void The_id_is_a_whole_number_beside_the_result(string line, long? id)
    {
        var reply = Parse(line);
        Assert.True(reply.Kind is ReplyKind.Return or ReplyKind.Error);
        Assert.Equal(id, reply.Id);
    }

    [Fact]
    public void Of_members_that_come_twice_the_last_counts()
    {
        var reply = Parse("""{"id": 1, "return": "a", "id": 2, "return": "b"}""");
        Assert.Equal((ReplyKind.Return, 2L, "\"b\""), (reply.Kind, reply.Id, Bytes.Text(reply.Return)));
    }

    [Theory]
    [InlineData("0", 0L)]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("-9223372036854775808", long.MinValue)]
    [InlineData("9223372036854775808", null)]
    [InlineData("1.0", null)]
    [InlineData("\"1\"", null)]
    [InlineData("[1]", null)]
    [InlineData("{}", null)]
    [InlineData("true", null)]
    [InlineData("null", null)]
    public void The_returned_number_is_one_of_64_bits_or_none(string value, long? number)
    {
        Assert.Equal(number, Parse($$"""{"return": {{value}}}""").ReturnedNumber);
        Assert.Null(Parse($$$"""{"error": {"class": "A"}, "id": 5, "more": {{{value}}}}""").ReturnedNumber);
    }

    [Theory]
    [InlineData("""{"error": {"class": "GenericError", "desc": "\ud800"}}""")]
    [InlineData("""{"error": {"class": "\udc00", "desc": ""}}""")]
    [InlineData("{\"error\": {\"class\": \"A\", \"desc\": \"\u00C3\"}}")]
    public void Half_a_character_where_text_is_needed_is_malformed(string line) =>
        Assert.Equal(ReplyKind.Malformed, Parse(line).Kind);

    [Fact]
    public void Half_a_character_elsewhere_is_left_to_whoever_reads_it() =>
        Assert.Equal(ReplyKind.Return, Parse("""{"return": {"a": "\ud800"}}""").Kind);

    [Theory]
    [InlineData("[", "", "]")]
    [InlineData("[", "1", "]")]
    [InlineData("""{"a": """, "{}", "}")]
    [InlineData("""{"a": """, "1", "}")]
    [InlineData("""[{"a": """, "1", "}]")]
    public void Nesting_is_taken_up_to_the_bound_and_not_past_it(string open, string inside, string close)
    {
        var each = open.Count(c => c is '[' or '{');
        for (var levels = 1; levels < Depth * 2; levels++)
        {
            var total = 1 + levels * each + inside.Count(c => c is '{');
            var value = string.Concat(Enumerable.Repeat(open, levels)) + inside + string.Concat(Enumerable.Repeat(close, levels));
            var expected = total <= Depth ? ReplyKind.Return : ReplyKind.TooComplex;
            Assert.Equal((total, expected), (total, Parse($$"""{"return": {{value}}}""", values: 1000).Kind));
            Assert.Equal((total, expected), (total, Parse($$"""{"more": {{value}}, "return": 1}""", values: 1000).Kind));
        }
    }

    [Theory]
    [InlineData("""{"return": {0}}""", "[", "1,", "1]")]
    [InlineData("""{"return": {0}}""", "[", "[],", "[]]")]
    [InlineData("""{"return": {0}}""", "{", "\"a\":1,", "\"a\":1}")]
    [InlineData("""{"more": {0}, "return": 1}""", "[", "{},", "1]")]
    [InlineData("""{"id": {0}, "return": 1}""", "[", "{},", "1]")]
    [InlineData("""{"error": {"class": "A", "more": {0}}}""", "[", "1,", "1]")]
    [InlineData("""{"error": {0}}""", "{\"class\": \"A\",", "\"a\":1,", "\"a\":1}")]
    [InlineData("""{0}""", "{\"return\": 1,", "\"a\":1,", "\"a\":1}")]
    public void Many_values_are_too_complex_wherever_they_stand(string frame, string open, string item, string last)
    {
        Assert.True(Parse(Line(10)).Kind is ReplyKind.Return or ReplyKind.Error);
        Assert.Equal(ReplyKind.TooComplex, Parse(Line(Values)).Kind);

        string Line(int items) =>
            frame.Replace("{0}", open + string.Concat(Enumerable.Repeat(item, items)) + last, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"return": t""")]
    [InlineData("""{"return": [n""")]
    [InlineData("""{"error": f""")]
    [InlineData("""{"return": tru""")]
    [InlineData("""{"return": fals}""")]
    [InlineData("""{"return": nuIl}""")]
    [InlineData("n")]
    public void A_broken_literal_is_malformed_wherever_a_segment_ends(string text)
    {
        // As the decoder cuts it out: where the LF is the first byte of a segment, the line ends with an empty one.
        for (var cut = 1; cut <= text.Length; cut++)
        {
            var decoder = new FrameDecoder(maxLineBytes: 100);
            var buffer = Bytes.InSegments(Bytes.Of(text + "\n"), cut, text.Length);
            Assert.Equal(FrameStatus.Line, decoder.Decode(buffer, out var line, out _, out _));
            Assert.Equal(ReplyKind.Malformed, Reply.Parse(line, Depth, Values).Kind);
            Assert.Equal($"<{text.Length} bytes that are not a complete message>", WireMask.Show(line));
        }
    }

    [Fact]
    public void The_id_of_a_reply_that_is_too_complex_is_known_where_it_came_first()
    {
        var many = string.Join(",", Enumerable.Repeat("1", Values + 1));
        Assert.Equal(7, Parse($$"""{"id": 7, "return": [{{many}}]}""").Id);
        Assert.Null(Parse($$"""{"return": [{{many}}], "id": 7}""").Id);
    }

    // Every line is read in one piece, byte by byte and in odd segments, and must be the same each time.
    private static Reply Parse(string line, int values = Values)
    {
        var bytes = line.Any(c => c > 0x7F) ? Bytes.Of(line) : Encoding.ASCII.GetBytes(line);
        var whole = Reply.Parse(new ReadOnlySequence<byte>(bytes), Depth, values);
        foreach (var lengths in new int[][] { [1], [0, 3], [7, 0, 1], [64, 1] })
        {
            var cut = Reply.Parse(Bytes.InSegments(bytes, lengths), Depth, values);
            Assert.Equal(
                (whole.Kind, whole.Id, whole.Error, Bytes.Text(whole.Return), whole.ReturnedNumber),
                (cut.Kind, cut.Id, cut.Error, Bytes.Text(cut.Return), cut.ReturnedNumber));
        }

        return whole;
    }
}
