using static QemuGuestAgent.Core.Tests.Embedded.Texts;

namespace QemuGuestAgent.Core.Tests.Embedded;

/// <summary>The agent's half of the seed's rules.</summary>
public sealed class RuleTests
{
    [Fact]
    public async Task S1_a_0xFF_drops_what_an_earlier_client_left_half_sent()
    {
        var agent = new EmbeddedAgent.EmbeddedGuestAgent();
        using (var former = RawClient.To(agent))
        {
            await former.SendAsync("{\"execute\":\"guest-pi");
        }

        using var client = RawClient.To(agent);
        Assert.Equal(Error("JSON parse error, stray '\\\"guest-pi\\uFFFD'") + "\n", await client.SkipToSyncAsync(1));
        Assert.Equal(Pong, await client.AskAsync(Ping));
    }

    [Fact]
    public async Task S1_without_it_a_half_sent_request_swallows_the_next_ones()
    {
        using var client = RawClient.ToNew();
        await client.SendAsync("{\"execute\":\n" + Ping + "\n" + Ping + "\n");
        Assert.Equal(Stray + "\n", await client.SkipToSyncAsync(1));
    }

    [Fact]
    public async Task S2_guest_sync_delimited_echoes_the_id_after_one_0xFF()
    {
        using var client = RawClient.ToNew();
        Assert.Equal("\u00FF{\"return\": 7}", await client.AskAsync(Request("guest-sync-delimited", "\"id\":7")));
    }

    [Fact]
    public async Task S2_no_other_reply_has_a_0xFF()
    {
        using var client = RawClient.ToNew();
        Assert.Equal("{\"return\": 7}", await client.AskAsync(Request("guest-sync", "\"id\":7")));
        Assert.Equal(Pong, await client.AskAsync(Ping));
        Assert.Equal(Error("Parameter 'id' is missing"), await client.AskAsync("{\"execute\":\"guest-sync-delimited\"}"));
        Assert.Equal(Pong, await client.AskAsync(Ping));
    }

    [Fact]
    public async Task S3_a_sync_is_answered_at_any_time()
    {
        using var client = RawClient.ToNew();
        Assert.Equal(Stray + "\n", await client.SkipToSyncAsync(1));
        Assert.Equal(Pong, await client.AskAsync(Ping));
        Assert.Equal(Stray + "\n", await client.SkipToSyncAsync(2));
    }

    [Fact]
    public async Task S4_what_was_asked_before_is_answered_before()
    {
        using var client = RawClient.ToNew();
        await client.SendAsync(Ping + "\n" + Request("guest-sync-delimited", "\"id\":1") + "\n");
        Assert.Equal($"{Pong}\n\u00FF{{\"return\": 1}}\n{Stray}\n", await client.SkipToSyncAsync(2));
    }

    [Fact]
    public async Task S5_a_reply_cut_by_the_agents_death_is_followed_by_the_next_one_without_a_line_feed()
    {
        using var client = RawClient.ToNew(new() { Faults = new() { DiesMidReply = 1 } });
        await client.SendAsync(Ping);
        Assert.Equal("", await client.UntilAsync(Pong[..(Pong.Length / 2)]));
        Assert.Equal(Stray + "\n", await client.SkipToSyncAsync(1));
        Assert.Equal(Pong, await client.AskAsync(Ping));
    }

    [Fact]
    public async Task S6_the_only_0xFF_stands_before_the_reply_to_the_sync()
    {
        using var client = RawClient.ToNew(new() { Faults = new() { OnConnectBytes = new byte[100_000] } });
        var skipped = await client.SkipToSyncAsync(1);
        Assert.Equal(100_000 + Stray.Length + 1, skipped.Length);
        Assert.DoesNotContain('\u00FF', skipped);
    }

    [Theory]
    [InlineData("9223372036854775807")]
    [InlineData("-9223372036854775808")]
    public async Task S7_an_id_is_any_int64(string id)
    {
        using var client = RawClient.ToNew();
        Assert.Equal($"{{\"return\": {id}}}", await client.AskAsync(Request("guest-sync", $"\"id\":{id}")));
    }

    [Theory]
    [InlineData("9223372036854775808")]
    [InlineData("-9223372036854775809")]
    [InlineData("1.0")]
    [InlineData("1e0")]
    [InlineData("\"7\"")]
    [InlineData("null")]
    [InlineData("true")]
    public async Task S7_an_id_is_nothing_else(string id)
    {
        using var client = RawClient.ToNew();
        Assert.Equal(
            Error("Invalid parameter type for 'id', expected: integer"),
            await client.AskAsync(Request("guest-sync", $"\"id\":{id}")));
    }
}
