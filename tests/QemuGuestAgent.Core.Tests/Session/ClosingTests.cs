using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using static QemuGuestAgent.Core.Tests.Session.AgentScript;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>Closed by its user, or lost by its peer.</summary>
public sealed class ClosingTests
{
    [Fact]
    public async Task Closing_ends_the_command_outstanding_and_all_later_ones()
    {
        var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Ask("guest-fstrim");
        var waiting = dialogue.Ask("guest-ping");
        await dialogue.Peer.ReadAsync();
        dialogue.Session.Dispose();
        await asking.FailsWith(ErrorCatalogue.SessionClosed);
        await waiting.FailsWith(ErrorCatalogue.SessionClosed);
        await dialogue.Peer.ClosedByClient;
        Assert.Equal("", await dialogue.Peer.ReadToEndAsync());
        Assert.Equal(GuestAgentSessionState.Closed, dialogue.Session.State);

        await dialogue.Ask("guest-ping").FailsWith(ErrorCatalogue.SessionClosed);
        await dialogue.Session.Sync().FailsWith(ErrorCatalogue.SessionClosed);
        dialogue.Session.Dispose();
        Assert.Equal(1, dialogue.Endpoint.Opens);
    }

    [Fact]
    public async Task Closing_ends_a_command_although_the_stream_s_read_does_not_end()
    {
        var dialogue = await Dialogue.StartAsync();
        dialogue.Peer.Stream.IsReadEndless = true;
        var asking = dialogue.Ask("guest-fstrim");
        var waiting = dialogue.Ask("guest-ping");
        await dialogue.Peer.ReadAsync();
        dialogue.Session.Dispose();
        await asking.FailsWith(ErrorCatalogue.SessionClosed);
        await waiting.FailsWith(ErrorCatalogue.SessionClosed);
    }

    [Fact]
    public async Task Closing_ends_a_sync()
    {
        var dialogue = await Dialogue.StartAsync();
        var syncing = dialogue.Session.Sync();
        await dialogue.Peer.ReadAsync();
        dialogue.Session.Dispose();
        await syncing.FailsWith(ErrorCatalogue.SessionClosed);
    }

    [Fact]
    public async Task Closing_ends_a_reopening_and_leaves_no_connection_open()
    {
        var dialogue = await LoseAsync();
        var opening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        dialogue.Endpoint.Opening = _ => opening.Task;
        var syncing = dialogue.Session.Sync();
        dialogue.Session.Dispose();
        opening.SetResult();
        await syncing.FailsWith(ErrorCatalogue.SessionClosed);
        await (await dialogue.Endpoint.AcceptAsync()).ClosedByClient;
        Assert.Equal(GuestAgentSessionState.Closed, dialogue.Session.State);
    }

    [Fact]
    public async Task Connecting_that_fails_leaves_no_connection_open()
    {
        var (endpoint, time) = (new ScriptedPeer(), new WatchedTime());
        var connecting = endpoint.Connect(new GuestAgentSessionOptions { TimeProvider = time, SyncRepeatWait = TimeSpan.Zero });
        var peer = await endpoint.AcceptAsync();
        await peer.ReadAsync();
        time.Advance(Dialogue.CallTime);
        await connecting.FailsWith(ErrorCatalogue.AgentSilent);
        await peer.ClosedByClient;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_lost_connection_is_told_once_then_the_session_is_broken_and_a_sync_opens_it_again(bool politely)
    {
        using var dialogue = await LoseAsync(politely);
        var broken = await dialogue.Ask("guest-ping").FailsWith(ErrorCatalogue.SessionFaulted);
        Assert.Equal(ErrorCatalogue.ConnectionLost.Id, Assert.IsType<GuestAgentException>(broken.InnerException).ErrorId);
        await dialogue.Ask("guest-ping").FailsWith(ErrorCatalogue.SessionFaulted);
        Assert.Equal(1, dialogue.Endpoint.Opens);

        var syncing = dialogue.Session.Sync();
        await dialogue.AcceptAsync();
        await dialogue.Peer.AnswerSyncAsync();
        await syncing.OrHang();
        Assert.Equal(2, dialogue.Endpoint.Opens);
        await dialogue.IsInSyncAsync();
    }

    [Fact]
    public async Task A_sync_on_a_lost_connection_fails_and_the_next_one_opens_it_again()
    {
        using var dialogue = await Dialogue.StartAsync();
        dialogue.Peer.Close();
        await dialogue.Session.Sync().FailsWith(ErrorCatalogue.ConnectionLost);
        var syncing = dialogue.Session.Sync();
        await dialogue.AcceptAsync();
        await dialogue.Peer.AnswerSyncAsync();
        await syncing.OrHang();
        await dialogue.IsInSyncAsync();
    }

    [Fact]
    public async Task A_sync_that_cannot_open_the_endpoint_says_why_and_may_be_tried_again()
    {
        using var dialogue = await LoseAsync();
        dialogue.Endpoint.Opening = _ => throw ErrorCatalogue.EndpointRefused.With(dialogue.Endpoint);
        await dialogue.Session.Sync().FailsWith(ErrorCatalogue.EndpointRefused);
        await dialogue.Ask("guest-ping").FailsWith(ErrorCatalogue.SessionFaulted);
        dialogue.Endpoint.Opening = _ => Task.CompletedTask;
        var syncing = dialogue.Session.Sync();
        await dialogue.AcceptAsync();
        await dialogue.Peer.AnswerSyncAsync();
        await syncing.OrHang();
        await dialogue.IsInSyncAsync();
    }

    [Fact]
    public async Task A_cancel_while_the_endpoint_is_opened_leaves_a_session_that_can_be_opened_again()
    {
        using var dialogue = await LoseAsync();
        dialogue.Endpoint.Opening = token => Task.Delay(Timeout.InfiniteTimeSpan, token);
        using var cancel = new CancellationTokenSource();
        var syncing = dialogue.Session.SynchronizeAsync(null, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => syncing.OrHang());
        Assert.Equal(GuestAgentSessionState.Faulted, dialogue.Session.State);
        await dialogue.Ask("guest-ping").FailsWith(ErrorCatalogue.SessionFaulted);
    }

    [Fact]
    public async Task A_whole_reply_before_the_end_still_counts()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Ask("guest-get-time");
        dialogue.Peer.Write(Return(await dialogue.Peer.ReadAsync(), "1"));
        dialogue.Peer.Close();
        Assert.Equal(1, (await asking.OrHang()).GetInt32());
        await dialogue.Ask("guest-get-time").FailsWith(ErrorCatalogue.ConnectionLost);
    }

    [Fact]
    public async Task Half_a_reply_before_the_end_is_none()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Ask("guest-get-time");
        dialogue.Peer.Write(Return(await dialogue.Peer.ReadAsync(), "1").TrimEnd());
        dialogue.Peer.Close();
        await asking.FailsWith(ErrorCatalogue.ConnectionLost);
    }

    [Fact]
    public async Task A_peer_that_takes_no_bytes_is_lost_although_its_own_never_end()
    {
        // The standard input of a program that was closed, whose output is still open.
        using var dialogue = await Dialogue.StartAsync();
        dialogue.Peer.Stream.WriteError = new IOException("Broken pipe");
        await dialogue.Ask("guest-ping").FailsWith(ErrorCatalogue.ConnectionLost);
        Assert.Equal(GuestAgentSessionState.Faulted, dialogue.Session.State);
    }

    private static async Task<Dialogue> LoseAsync(bool politely = true)
    {
        var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Ask("guest-ping");
        await dialogue.Peer.ReadAsync();
        if (politely)
        {
            dialogue.Peer.Close();
        }
        else
        {
            dialogue.Peer.Break();
        }

        await asking.FailsWith(ErrorCatalogue.ConnectionLost);
        Assert.Equal(GuestAgentSessionState.Faulted, dialogue.Session.State);
        return dialogue;
    }
}
