using static QemuGuestAgent.Core.Tests.Embedded.Texts;

namespace QemuGuestAgent.Core.Tests.Embedded;

/// <summary>What the real agent (7.2 and 10.0) says to input that is no request: descriptions, one for each error line.</summary>
public sealed class MalformedInputTests
{
    [Theory]
    [InlineData("\u00FF\u00FF", "JSON parse error, stray '\\uFFFD'", "JSON parse error, stray '\\uFFFD'")]
    [InlineData("{\"a\":1\u00FF", "JSON parse error, stray '\\uFFFD'")]
    [InlineData("1\u00FF", "QMP input must be a JSON object", "JSON parse error, stray '\\uFFFD'")]
    [InlineData("[]", "QMP input must be a JSON object")]
    [InlineData("true false\n", "QMP input must be a JSON object", "QMP input must be a JSON object")]
    [InlineData("{}", "QMP input lacks member 'execute'")]
    [InlineData("}", "JSON parse error, expecting value")]
    [InlineData("[}", "JSON parse error, expecting value")]
    [InlineData("{\"a\":1]", "JSON parse error, expected separator in dict")]
    [InlineData("{\"a\":[1}]", "JSON parse error, expected separator in list")]
    [InlineData("{\"a\" 2}", "JSON parse error, missing : in object pair")]
    [InlineData("[1,]", "JSON parse error, expecting value")]
    [InlineData("{1:2}", "JSON parse error, key is not a string in object")]
    [InlineData("{execute:1}", "JSON parse error, invalid keyword 'execute'")]
    [InlineData("abc\n", "JSON parse error, invalid keyword 'abc'")]
    [InlineData("ABC {}", "JSON parse error, stray 'A'", "QMP input lacks member 'execute'")]
    [InlineData("[01]", "JSON parse error, stray '01'", "JSON parse error, expecting value")]
    [InlineData("[1.]", "JSON parse error, stray '1.]'")]
    [InlineData("[0e1]", "JSON parse error, expected separator in list")]
    [InlineData("[\"a\tb\"]", "JSON parse error, stray '\\\"a\\t'", "JSON parse error, expecting value")]
    [InlineData("[\"\\q\"]", "JSON parse error, invalid escape sequence in string")]
    [InlineData("[\"\\u12\"]", "JSON parse error, \\\\u12\\\" is not a valid Unicode character")]
    [InlineData("[\"\\ud83d\"]", "JSON parse error, \\\\ud83d is not a valid Unicode character")]
    [InlineData("[\"\\uFFFE\"]", "JSON parse error, \\\\uFFFE is not a valid Unicode character")]
    [InlineData("[\"\u0080\"]", "JSON parse error, invalid UTF-8 sequence in string")]
    [InlineData("[\"\u00ED\u00A0\u0080\"]", "JSON parse error, invalid UTF-8 sequence in string")]
    [InlineData("\"\u00C3\u00A9\u00E2\u0082\n", "JSON parse error, stray '\\\"\\u00E9\\uFFFD\\n'")]
    [InlineData("{\"execute\":\"a\",\"execute\":\"a\"}", "JSON parse error, duplicate key")]
    [InlineData("{\"execute\":1}", "QMP input member 'execute' must be a string")]
    [InlineData("{\"execute\":\"guest-ping\",\"arguments\":[]}", "QMP input member 'arguments' must be an object")]
    [InlineData("{\"execute\":\"guest-ping\",\"x\":1}", "QMP input member 'x' is unexpected")]
    [InlineData("{\"execute\":\"guest-ping\",\"arguments\":{\"x\":1}}", "Parameter 'x' is unexpected")]
    public async Task Input_that_is_no_request_is_answered_as_the_real_agent_does(string input, params string[] descriptions)
    {
        using var client = RawClient.ToNew();
        await client.SendAsync(input);
        foreach (var description in descriptions)
        {
            Assert.Equal(Error(description), await client.LineAsync());
        }

        Assert.Equal(Stray + "\n", await client.SkipToSyncAsync(1));
    }

    [Theory]
    [InlineData("5", "5")]
    [InlineData("null", "null")]
    [InlineData("18446744073709551615", "18446744073709551615")]
    [InlineData("18446744073709551616", "1.8446744073709552e+19")]
    [InlineData("1e3", "1000")]
    [InlineData("1.1e-7", "1.1000000000000001e-07")]
    [InlineData("0.00012", "0.00012")]
    [InlineData("-2.5", "-2.5")]
    [InlineData("\"\\b\\f\\n\\r\\t\\/\\\\\\u001f\u007F\"", "\"\\b\\f\\n\\r\\t/\\\\\\u001F\\u007F\"")]
    [InlineData("\"\u00C3\u00A9\\ud83d\\ude00\\u0000\u00C0\u0080\"", "\"\\u00E9\\uD83D\\uDE00\\u0000\\u0000\"")]
    [InlineData("'it\\'s \"x\"'", "\"it's \\\"x\\\"\"")]
    [InlineData("[1,{\"a\":[],\"b\":{}}]", "[1, {\"a\": [], \"b\": {}}]")]
    public async Task Ids_are_echoed_as_the_real_agent_writes_them(string id, string echoed)
    {
        using var client = RawClient.ToNew();
        Assert.Equal(
            $"{{\"return\": {{}}, \"id\": {echoed}}}", await client.AskAsync($"{{\"execute\":\"guest-ping\",\"id\":{id}}}"));
    }

    [Fact]
    public async Task An_error_has_the_id_first()
    {
        using var client = RawClient.ToNew();
        Assert.Equal(
            "{\"id\": 4, \"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The command nope has not been found\"}}",
            await client.AskAsync("{\"execute\":\"nope\",\"id\":4}"));
    }

    [Fact]
    public async Task An_old_agent_refuses_ids()
    {
        using var client = RawClient.ToNew(new() { EchoesRequestIds = false });
        Assert.Equal(
            Error("QMP input member 'id' is unexpected"), await client.AskAsync("{\"execute\":\"guest-ping\",\"id\":4}"));
        Assert.Equal(Pong, await client.AskAsync(Ping));
    }
}
