using System.Collections.Concurrent;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using static QemuGuestAgent.Core.Tests.Session.AgentScript;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>Who watches a call sees its messages in order, and nothing secret in them.</summary>
public sealed class TraceTests
{
    [Fact]
    public async Task Connecting_shows_its_steps_and_messages_in_order()
    {
        var seen = new ConcurrentQueue<TraceEvent>();
        var endpoint = new ScriptedPeer();
        var connecting = endpoint.Connect(call: new CallOptions { Trace = seen.Enqueue });
        var peer = await endpoint.AcceptAsync();
        await peer.AnswerSyncAsync();
        using var session = await connecting.OrHang();

        var kinds = seen.Select(e => e.Kind).ToArray();
        Assert.Equal(
            [
                TraceKind.Step, TraceKind.Step, TraceKind.Sent, TraceKind.Received, TraceKind.Received, TraceKind.Sent,
                TraceKind.Received, TraceKind.Step,
            ],
            kinds);
        var texts = seen.Select(e => e.Text).ToArray();
        Assert.StartsWith("Connecting to 'scripted:peer'", texts[0], StringComparison.Ordinal);
        Assert.StartsWith("""<0xFF>{"execute":"guest-sync-delimited",""", texts[2], StringComparison.Ordinal);
        Assert.StartsWith("""{"error":""", texts[3], StringComparison.Ordinal);
        Assert.StartsWith("""<0xFF>{"return":""", texts[4], StringComparison.Ordinal);
        Assert.Contains("11.1.0", texts[7], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Secrets_are_masked_both_ways()
    {
        using var dialogue = await Dialogue.StartAsync();
        var seen = new ConcurrentQueue<TraceEvent>();
        var request = new GuestAgentRequest("guest-exec", json =>
        {
            json.WriteStartObject();
            json.WriteString("input-data", "c2VjcmV0");
            json.WriteEndObject();
        });
        var asking = dialogue.Session.Ask(request, new CallOptions { Trace = seen.Enqueue });
        await dialogue.Peer.AnswerAsync("guest-exec", """{"out-data": "c2VjcmV0"}""");
        Assert.Equal("c2VjcmV0", (await asking.OrHang()).GetProperty("out-data").GetString());
        Assert.Equal([TraceKind.Step, TraceKind.Sent, TraceKind.Received], seen.Select(e => e.Kind));
        Assert.All(seen, e => Assert.DoesNotContain("c2VjcmV0", e.Text, StringComparison.Ordinal));
        Assert.All(seen.Skip(1), e => Assert.Contains("\"***\"", e.Text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_guest_cannot_act_on_a_terminal_by_what_its_agent_says()
    {
        var seen = new ConcurrentQueue<TraceEvent>();
        var endpoint = new ScriptedPeer();
        var connecting = endpoint.Connect(call: new CallOptions { Trace = seen.Enqueue });
        var peer = await endpoint.AcceptAsync();
        peer.Write(Sync(await peer.ReadAsync()));
        await peer.AnswerAsync("guest-info", """{"version": "\u001b[2J\u0000\u202e"}""");
        using var session = await connecting.OrHang();
        Assert.Contains(seen, e => e.Kind == TraceKind.Step && e.Text.Contains(@"agent \u001B[2J\u0000\u202E on", StringComparison.Ordinal));
        Assert.All(seen, e => Assert.DoesNotContain(e.Text, c => char.IsControl(c) || c == '\u202e'));
    }

    [Fact]
    public async Task A_command_without_reply_shows_both_its_messages()
    {
        using var dialogue = await Dialogue.StartAsync();
        var seen = new ConcurrentQueue<TraceEvent>();
        var asking = dialogue.Session.Ask("guest-shutdown", new CallOptions { Trace = seen.Enqueue });
        await dialogue.Peer.AnswerSyncAsync();
        await dialogue.Peer.ReadAsync();
        dialogue.Peer.Write(Return(await dialogue.Peer.ReadAsync(), "{}"));
        await asking.OrHang();
        var sent = seen.Where(e => e.Kind == TraceKind.Sent).Select(e => e.Text).Skip(2).ToArray();
        Assert.Equal(2, sent.Length);
        Assert.StartsWith("""{"execute":"guest-shutdown",""", sent[0], StringComparison.Ordinal);
        Assert.StartsWith("""{"execute":"guest-ping",""", sent[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_that_nobody_watches_is_not_shown_to_the_one_before()
    {
        using var dialogue = await Dialogue.StartAsync();
        var seen = new ConcurrentQueue<TraceEvent>();
        var asking = dialogue.Session.Ask("guest-ping", new CallOptions { Trace = seen.Enqueue });
        await dialogue.Peer.AnswerAsync("guest-ping", "{}");
        await asking.OrHang();
        var count = seen.Count;
        Assert.Equal(3, count);
        await dialogue.IsInSyncAsync();
        Assert.Equal(count, seen.Count);
    }
}
