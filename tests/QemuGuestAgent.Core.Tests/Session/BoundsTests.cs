using System.Text;
using System.Text.Json;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Wire;
using static QemuGuestAgent.Core.Tests.Session.AgentScript;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>What protects the host from its guest, and the agent from too long a request.</summary>
public sealed class BoundsTests
{
    private const int MaxReply = 1 << 20;
    private static readonly GuestAgentSessionOptions Options = new() { MaxReplyBytes = MaxReply };

    [Fact]
    public async Task An_endless_line_is_read_no_further_than_the_bound()
    {
        using var dialogue = await Dialogue.StartAsync(options: Options);
        var asking = dialogue.Ask("guest-get-host-name");
        await dialogue.Peer.ReadAsync();
        var before = dialogue.Peer.Stream.BytesTaken;
        dialogue.Peer.Write("""{"return": {"host-name": """ + "\"");
        var part = Encoding.ASCII.GetBytes(new string('A', 10_000));
        dialogue.Peer.Write(Enumerable.Repeat<ReadOnlyMemory<byte>>(part, 20 * MaxReply / part.Length));
        dialogue.Peer.Close();
        await asking.FailsWith(ErrorCatalogue.ReplyTooLong);

        Assert.InRange(dialogue.Peer.Stream.BytesTaken - before, MaxReply, MaxReply + (64 << 10));
        Assert.Equal(GuestAgentSessionState.Faulted, dialogue.Session.State);
        await dialogue.Peer.ClosedByClient;
        var broken = await dialogue.Ask("guest-ping").FailsWith(ErrorCatalogue.SessionFaulted);
        Assert.Contains("more than 1048576 bytes", broken.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_that_was_broken_by_a_long_line_can_be_opened_again()
    {
        using var dialogue = await Dialogue.StartAsync(options: Options);
        var asking = dialogue.Ask("guest-ping");
        await dialogue.Peer.ReadAsync();
        dialogue.Peer.Write(new string('A', MaxReply + 1));
        await asking.FailsWith(ErrorCatalogue.ReplyTooLong);
        var syncing = dialogue.Session.Sync();
        await dialogue.AcceptAsync();
        await dialogue.Peer.AnswerSyncAsync();
        await syncing.OrHang();
        await dialogue.IsInSyncAsync();
    }

    [Fact]
    public async Task A_reply_of_exactly_the_bound_is_taken()
    {
        using var dialogue = await Dialogue.StartAsync(options: Options);
        foreach (var over in new[] { 0, 1 })
        {
            var asking = dialogue.Ask("guest-get-host-name");
            var request = await dialogue.Peer.ReadAsync();
            var text = new string('A', MaxReply + over + 1 - Return(request, "\"\"").Length);
            dialogue.Peer.Write(Return(request, $"\"{text}\""));
            if (over == 0)
            {
                Assert.Equal(text, (await asking.OrHang()).GetString());
            }
            else
            {
                await asking.FailsWith(ErrorCatalogue.ReplyTooLong);
            }
        }
    }

    [Fact]
    public async Task A_sync_drops_a_line_that_no_command_may_have()
    {
        using var dialogue = await Dialogue.StartAsync(options: Options);
        await dialogue.TimeOutAsync("guest-file-read");
        await dialogue.SynchronisesByItselfAsync(stale: new string('A', 3 * MaxReply) + "\n");
        Assert.Equal(3 * MaxReply + 1 + StrayError.Length, dialogue.Session.LastSync!.BytesDiscarded);
        Assert.Equal(2, dialogue.Session.LastSync.RepliesDiscarded);
    }

    [Fact]
    public async Task A_request_past_the_agent_s_own_bound_is_not_sent_at_all()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Session.Ask(Writing(new byte[RequestWriter.MaxRequestBytes / 4 * 3]));
        await asking.FailsWith(ErrorCatalogue.RequestTooLong);
        await dialogue.IsInSyncAsync();
    }

    [Fact]
    public async Task A_long_request_that_is_not_read_times_out_and_nothing_is_written_into_it()
    {
        using var dialogue = await Dialogue.StartAsync();
        var content = new byte[6_000_000];
        new Random(4711).NextBytes(content);
        var asking = dialogue.Session.Ask(Writing(content));
        dialogue.Time.Advance(Dialogue.CallTime);
        await asking.FailsWith(ErrorCatalogue.CommandTimedOut);

        // The agent still does not read: the sync waits for the rest of the request to go.
        var next = dialogue.Ask("guest-ping");
        dialogue.Time.Advance(Dialogue.CallTime);
        var busy = await next.FailsWith(ErrorCatalogue.AgentBusy);
        Assert.Contains("'guest-file-write'", busy.Message, StringComparison.Ordinal);

        var last = dialogue.Ask("guest-get-time");
        var written = await dialogue.Peer.ReadAsync();
        Assert.Equal(content, written.Arguments.GetProperty("buf-b64").GetBytesFromBase64());
        dialogue.Peer.Write(Return(written, "{}"));
        await dialogue.Peer.AnswerSyncAsync();
        await dialogue.Peer.AnswerAsync("guest-get-time", "1");
        Assert.Equal(1, (await last.OrHang()).GetInt32());
    }

    [Fact]
    public async Task A_long_request_may_be_answered_before_it_is_read()
    {
        // An agent that echoes requests, or refuses one early: its answer is read while the rest of the request goes.
        using var dialogue = await Dialogue.StartAsync(ids: false);
        var asking = dialogue.Session.Ask(Writing(new byte[1_000_000]));
        dialogue.Peer.Write("""{"error": {"class": "GenericError", "desc": "too much"}}""" + "\n");
        await asking.FailsWith(ErrorCatalogue.AgentError);
        var next = dialogue.Ask("guest-get-time");
        Assert.Equal("guest-file-write", (await dialogue.Peer.ReadAsync()).Command);
        await dialogue.Peer.AnswerSyncAsync(ids: false);
        await dialogue.Peer.AnswerAsync("guest-get-time", "1");
        Assert.Equal(1, (await next.OrHang()).GetInt32());
    }

    [Fact]
    public async Task A_connection_that_ends_in_a_long_request_is_lost()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Session.Ask(Writing(new byte[1_000_000]));
        dialogue.Peer.Break();
        await asking.FailsWith(ErrorCatalogue.ConnectionLost);
    }

    [Fact]
    public async Task Closing_ends_a_long_request_that_is_not_read()
    {
        var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Session.Ask(Writing(new byte[1_000_000]));
        dialogue.Session.Dispose();
        await asking.FailsWith(ErrorCatalogue.SessionClosed);
    }

    [Fact]
    public async Task A_request_whose_arguments_cannot_be_written_harms_nothing()
    {
        using var dialogue = await Dialogue.StartAsync();
        var failing = new GuestAgentRequest("guest-odd", static json =>
        {
            json.WriteStartObject();
            throw new InvalidDataException("half written");
        });
        await Assert.ThrowsAsync<InvalidDataException>(() => dialogue.Session.Ask(failing).OrHang());
        await dialogue.IsInSyncAsync();
    }

    private static GuestAgentRequest Writing(byte[] content) => new("guest-file-write", json => Write(json, content));

    private static void Write(Utf8JsonWriter json, byte[] content)
    {
        json.WriteStartObject();
        json.WriteBase64String("buf-b64", content);
        json.WriteEndObject();
    }
}
