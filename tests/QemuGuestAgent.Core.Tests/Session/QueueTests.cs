using System.Text.Json;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using static QemuGuestAgent.Core.Tests.Session.AgentScript;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>Several callers at once: the agent does one thing at a time, and so does the session.</summary>
public sealed class QueueTests
{
    [Fact]
    public async Task Callers_are_served_in_the_order_in_which_they_came()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = Enumerable.Range(0, 20).Select(i => dialogue.Ask($"guest-{i}")).ToList();
        for (var i = 0; i < asking.Count; i++)
        {
            var request = await dialogue.Peer.ReadAsync();
            Assert.Equal((GuestAgentSessionState.Busy, $"guest-{i}"), (dialogue.Session.State, request.Command));
            dialogue.Peer.Write(Return(request, $"{i}"));
            Assert.Equal(i, (await asking[i].OrHang()).GetInt32());
        }
    }

    [Fact]
    public async Task Callers_from_many_threads_get_each_their_own_reply()
    {
        using var dialogue = await Dialogue.StartAsync();
        var serving = ServeAsync(dialogue.Peer);
        var callers = Enumerable.Range(0, 8).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; i < 100; i++)
            {
                var number = caller * 1000 + i;
                var result = await dialogue.Session.Ask(WithNumber(number)).OrHang();
                Assert.Equal(number, result.GetInt32());
            }
        }));
        await Task.WhenAll(callers);
        dialogue.Session.Dispose();
        Assert.Equal(800, await serving.OrHang());

        static async Task<int> ServeAsync(PeerConnection peer)
        {
            var count = 0;
            while (await peer.TryReadAsync() is { } request)
            {
                peer.Write(Return(request, request.Arguments.GetProperty("n").GetRawText()));
                count++;
            }

            return count;
        }
    }

    [Fact]
    public async Task A_caller_whose_time_ends_in_the_queue_is_told_so_and_harms_nobody()
    {
        using var dialogue = await Dialogue.StartAsync();
        var first = dialogue.Ask("guest-first");
        var impatient = dialogue.Session.Ask("guest-impatient", new CallOptions { Timeout = TimeSpan.FromSeconds(1) });
        var last = dialogue.Ask("guest-last");
        dialogue.Time.Advance(TimeSpan.FromSeconds(1));
        var error = await impatient.FailsWith(ErrorCatalogue.SessionBusy);
        Assert.Contains("'guest-impatient' was not sent", error.Message, StringComparison.Ordinal);

        await dialogue.Peer.AnswerAsync("guest-first", "1");
        await dialogue.Peer.AnswerAsync("guest-last", "2");
        Assert.Equal(1, (await first.OrHang()).GetInt32());
        Assert.Equal(2, (await last.OrHang()).GetInt32());
        await dialogue.IsInSyncAsync();
    }

    [Fact]
    public async Task A_caller_that_gives_up_in_the_queue_harms_nobody()
    {
        using var dialogue = await Dialogue.StartAsync();
        using var cancel = new CancellationTokenSource();
        var first = dialogue.Ask("guest-first");
        var cancelled = dialogue.Session.AskUntil("guest-cancelled", cancel.Token);
        var last = dialogue.Ask("guest-last");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.OrHang());
        await dialogue.Peer.AnswerAsync("guest-first", "1");
        await dialogue.Peer.AnswerAsync("guest-last", "2");
        Assert.Equal(2, (await last.OrHang()).GetInt32());
        await first;
    }

    [Fact]
    public async Task A_time_out_is_followed_by_the_sync_of_whoever_is_next_in_the_queue()
    {
        using var dialogue = await Dialogue.StartAsync();
        var first = dialogue.Session.Ask("guest-first", new CallOptions { Timeout = TimeSpan.FromSeconds(1) });
        var second = dialogue.Ask("guest-second");
        var stale = Return(await dialogue.Peer.ReadAsync(), "1");
        dialogue.Time.Advance(TimeSpan.FromSeconds(1));
        await first.FailsWith(ErrorCatalogue.CommandTimedOut);
        dialogue.Peer.Write(stale);
        await dialogue.Peer.AnswerSyncAsync();
        await dialogue.Peer.AnswerAsync("guest-second", "2");
        Assert.Equal(2, (await second.OrHang()).GetInt32());
    }

    [Fact]
    public async Task A_parser_that_fails_does_not_stop_the_queue()
    {
        using var dialogue = await Dialogue.StartAsync();
        var failing = dialogue.Session.InvokeAsync<int>(new GuestAgentRequest("guest-odd"),
            static (ref Utf8JsonReader reader) => reader.GetInt32(), null, CancellationToken.None);
        await dialogue.Peer.AnswerAsync("guest-odd", "\"text\"");
        await failing.FailsWith(ErrorCatalogue.ReplyUnexpected);
        await dialogue.IsInSyncAsync();
    }

    private static GuestAgentRequest WithNumber(int number) => new("guest-number", json =>
    {
        json.WriteStartObject();
        json.WriteNumber("n", number);
        json.WriteEndObject();
    });
}
