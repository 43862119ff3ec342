using System.Buffers;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Tests.Wire;

/// <summary>What a trace shows, and what it never does.</summary>
public sealed class WireMaskTests
{
    private const string Secret = "c2VjcmV0";

    [Theory]
    [InlineData("""{"execute":"guest-set-user-password","arguments":{"username":"root","password":"c2VjcmV0"},"id":7}""",
        """{"execute":"guest-set-user-password","arguments":{"username":"root","password":"***"},"id":7}""")]
    [InlineData("""{"execute":"guest-file-write","arguments":{"handle":1000,"buf-b64":"c2VjcmV0"}}""",
        """{"execute":"guest-file-write","arguments":{"handle":1000,"buf-b64":"***"}}""")]
    [InlineData("""{"execute":"guest-exec","arguments":{"path":"/bin/sh","env":["A=c2VjcmV0"],"input-data":"c2VjcmV0"}}""",
        """{"execute":"guest-exec","arguments":{"path":"/bin/sh","env":"***","input-data":"***"}}""")]
    [InlineData("""{"return": {"exited": true, "out-data": "c2VjcmV0", "err-data": "c2VjcmV0"}, "id": 7}""",
        """{"return":{"exited":true,"out-data":"***","err-data":"***"},"id":7}""")]
    [InlineData("""{"return": {"keys": ["c2VjcmV0", {"a": "c2VjcmV0"}]}}""", """{"return":{"keys":"***"}}""")]
    [InlineData("""{"return": [[{"a": {"password": {"deep": "c2VjcmV0"}}}]]}""", """{"return":[[{"a":{"password":"***"}}]]}""")]
    [InlineData("""{"p\u0061ssword": "c2VjcmV0"}""", """{"password":"***"}""")]
    [InlineData("""{"password": null, "keys": 5}""", """{"password":"***","keys":"***"}""")]
    public void Secrets_are_masked_at_any_depth(string message, string shown)
    {
        Assert.Equal(shown, Show(message));
        Assert.DoesNotContain(Secret, shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"return": {"a": [1, -2.50e3, 18446744073709551615, null, true, "x"]}}""",
        """{"return":{"a":[1,-2.50e3,18446744073709551615,null,true,"x"]}}""")]
    [InlineData("""{"username": "password"}""", """{"username":"password"}""")]
    public void The_rest_is_shown_as_it_is(string message, string shown) => Assert.Equal(shown, Show(message));

    [Theory]
    [InlineData("""{"password": "c2VjcmV0""")]
    [InlineData("""{"password": "c2VjcmV0"}{"password": "c2VjcmV0"}""")]
    [InlineData("""c2VjcmV0"}, "id": 7}""")]
    [InlineData("{\"a\": \"c2VjcmV0\u00C3\"}")]
    [InlineData("""{"a": "c2VjcmV0\ud800"}""")]
    [InlineData("""{"c2VjcmV0": trXe}""")]
    [InlineData("")]
    public void Part_of_a_message_is_never_shown(string message) =>
        Assert.Equal($"<{message.Length} bytes that are not a complete message>", Show(message));

    [Fact]
    public void The_byte_0xFF_before_a_sync_is_shown()
    {
        const string Sync = """{"execute":"guest-sync","arguments":{"id":5}}""";
        Assert.Equal($"<0xFF>{Sync}", Show($"\u00FF{Sync}\n"));
    }

    [Fact]
    public void What_acts_on_a_terminal_is_written_out()
    {
        var shown = Show("""{"return": "\u001b[2J\r\n\u202e\u0007"}""");
        Assert.DoesNotContain(shown, char.IsControl);
        Assert.DoesNotContain('\u202E', shown);
        Assert.Contains("[2J", shown, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_message_is_cut_and_a_huge_one_is_only_counted()
    {
        Assert.InRange(Show($$"""{"return": "{{new string('x', 100_000)}}"}""").Length, 1024, 1025);
        var huge = $$"""{"return": "{{new string('x', 2 << 20)}}"}""";
        Assert.Equal($"<{huge.Length} bytes>", Show(huge));
        Assert.Equal($"<0xFF><{huge.Length} bytes>", Show("\u00FF" + huge));
    }

    private static string Show(string message)
    {
        var bytes = Bytes.Of(message);
        var shown = WireMask.Show(new ReadOnlySequence<byte>(bytes));
        Assert.Equal(shown, WireMask.Show(Bytes.InSegments(bytes, 5, 0, 1, 7)));
        return shown;
    }
}
