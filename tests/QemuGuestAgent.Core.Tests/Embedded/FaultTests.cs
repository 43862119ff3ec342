using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using QemuGuestAgent.EmbeddedAgent;
using static QemuGuestAgent.Core.Tests.Embedded.Texts;

namespace QemuGuestAgent.Core.Tests.Embedded;

/// <summary>The agent bent and broken.</summary>
public sealed class FaultTests
{
    [Fact]
    public async Task Silent_commands_are_carried_out_and_not_answered()
    {
        using var client = RawClient.ToNew(new() { Faults = new() { SilentCommands = ["guest-fsfreeze-freeze"] } });
        await client.SendAsync("{\"execute\":\"guest-fsfreeze-freeze\"}");
        Assert.Equal("{\"return\": \"frozen\"}", await client.AskAsync("{\"execute\":\"guest-fsfreeze-status\"}"));
    }

    [Fact]
    public async Task A_slow_command_holds_everything_up()
    {
        var time = new FakeTimeProvider();
        var agent = new EmbeddedGuestAgent(new()
        {
            TimeProvider = time,
            CommandDelays = new Dictionary<string, TimeSpan> { ["guest-get-host-name"] = TimeSpan.FromHours(1) },
        });
        using var client = RawClient.To(agent);
        await client.SendAsync("{\"execute\":\"guest-get-host-name\"}" + Ping);
        Assert.True(SpinWait.SpinUntil(() => agent.Requests.Count > 0, TimeSpan.FromSeconds(20)));
        Assert.Equal(["guest-get-host-name"], agent.Requests);

        // Its timer may not be there yet: time goes on until the reply comes.
        var line = client.LineAsync();
        while (!line.IsCompleted)
        {
            time.Advance(TimeSpan.FromHours(1));
            await Task.Yield();
        }

        Assert.Equal("{\"return\": {\"host-name\": \"embedded\"}}", await line);
        Assert.Equal(Pong, await client.LineAsync());
    }

    [Fact]
    public async Task Replies_come_in_pieces()
    {
        using var client = RawClient.ToNew(new() { Faults = new() { ChunkSize = 3 } });
        Assert.Equal(Pong, await client.AskAsync(Ping));
        Assert.All(client.Reads, count => Assert.InRange(count, 1, 3));
    }

    [Fact]
    public async Task Stale_bytes_are_for_the_first_client_only()
    {
        var stale = "{\"return\": 9}\n{\"ret"u8.ToArray();
        var agent = new EmbeddedGuestAgent(new() { Faults = new() { OnConnectBytes = stale } });
        using (var first = RawClient.To(agent))
        {
            Assert.Equal("{\"return\": 9}", await first.LineAsync());
            Assert.Equal("{\"ret" + Pong, await first.AskAsync(Ping));
        }

        using var second = RawClient.To(agent);
        Assert.Equal(Pong, await second.AskAsync(Ping));
    }

    [Fact]
    public async Task Every_reply_may_have_a_prefix()
    {
        using var client = RawClient.ToNew(new() { Faults = new() { ReplyPrefix = new byte[] { 0xFF } } });
        Assert.Equal("\u00FF" + Pong, await client.AskAsync(Ping));
        Assert.Equal("\u00FF\u00FF{\"return\": 1}", await client.AskAsync(Request("guest-sync-delimited", "\"id\":1")));
    }

    [Fact]
    public async Task A_reply_may_start_again_after_a_0xFF()
    {
        using var client = RawClient.ToNew(new() { Faults = new() { SentinelInsideReply = 2 } });
        Assert.Equal(Pong, await client.AskAsync(Ping));
        Assert.Equal("{\"return\": 1}", await client.AskAsync(Request("guest-sync", "\"id\":1")));
        Assert.Equal(Pong[..7] + "\u00FF" + Pong, await client.AskAsync(Ping));
        Assert.Equal(Pong, await client.AskAsync(Ping));
    }

    [Fact]
    public async Task An_endless_line_ends_with_its_client()
    {
        var agent = new EmbeddedGuestAgent(new() { Faults = new() { EndlessLine = "guest-get-time" } });
        using (var first = RawClient.To(agent))
        {
            await first.SendAsync("{\"execute\":\"guest-get-time\"}");
            await first.UntilAsync(new string('x', 300_000));
        }

        using var second = RawClient.To(agent);
        Assert.EndsWith(Pong, await second.AskAsync(Ping), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_terminal_with_echo_sends_everything_back()
    {
        using var client = RawClient.ToNew(new() { Faults = new() { EchoesInput = true } });
        Assert.Equal(Ping, await client.AskAsync(Ping));
        Assert.Equal(Pong, await client.LineAsync());
    }

    [Fact]
    public async Task Commands_may_be_scripted()
    {
        using var client = RawClient.ToNew(new()
        {
            Commands =
            {
                ["guest-twice"] = arguments => arguments.GetProperty("n").GetInt32() * 2,
                ["guest-get-time"] = _ => throw new EmbeddedCommandException("no clock", "CommandDisabled"),
                ["guest-list"] = _ => new JsonArray(1, "é", null),
            },
            Faults = new() { RawReplies = { ["guest-ping"] = "{}\n"u8.ToArray() } },
        });
        Assert.Equal("{\"return\": 14}", await client.AskAsync(Request("guest-twice", "\"n\":7")));
        Assert.Equal(Error("CommandDisabled", "no clock"), await client.AskAsync(Request("guest-get-time")));
        Assert.Equal("{\"return\": [1, \"\\u00E9\", null]}", await client.AskAsync("{\"execute\":\"guest-list\"}"));
        Assert.Equal("{}", await client.AskAsync(Ping));
    }

    [Fact]
    public async Task A_reply_may_be_as_long_as_an_exec_of_32_MiB()
    {
        using var client = RawClient.ToNew(new() { Commands = { ["guest-big"] = _ => new string('x', 45 << 20) } });
        await client.SendAsync("{\"execute\":\"guest-big\"}\n");
        Assert.Equal("", await client.UntilAsync("{\"return\": \""));
        var buffer = new byte[1 << 16];
        long left = (45 << 20) - 200_000;
        while (left > 0)
        {
            left -= await client.Stream.ReadAsync(buffer, TestContext.Current.CancellationToken);
        }

        Assert.EndsWith("x\"}", await client.LineAsync(), StringComparison.Ordinal);
    }
}
