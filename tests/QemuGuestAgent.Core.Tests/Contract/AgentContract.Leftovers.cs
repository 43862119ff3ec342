namespace QemuGuestAgent.Core.Tests.Contract;

// What an earlier client leaves behind must not harm the next.
public abstract partial class AgentContract
{
    [Theory]
    [InlineData("""{"execute":"guest-sync","arguments":{"id":1}}""", 1)]
    [InlineData("""{"execute":"guest-get-host-name"}""", 1)]
    [InlineData("""{"execute":"guest-sync-delimited","arguments":{"id":1}}""", 1)]
    [InlineData("""{"execute":"guest-ping","arguments":{"extra":1}}""", 1)]

    // It might mean that the agent has no delimited sync: the plain one is tried as well.
    [InlineData("""{"execute":"guest-nonsense"}""", 3)]
    public async Task The_answer_to_a_client_that_left_is_not_taken_for_one_s_own(string request, int repliesMore)
    {
        var usual = await DiscardedWithoutLeftoversAsync();
        await LeaveBehindAsync(request + "\n");

        using var session = await Peer.ConnectAsync();

        // The answer really came, and was thrown away; an agent with a channel of its own loses it.
        Assert.True(session.LastSync!.IsDelimited);
        Assert.Equal(usual.Replies + (Peer.ChannelOutlivesBothEnds ? repliesMore : 0), session.LastSync.RepliesDiscarded);
        Assert.True(Peer.ChannelOutlivesBothEnds == session.LastSync.BytesDiscarded > usual.Bytes);
        await AssertServesAsync(session);
    }

    [Fact]
    public async Task Syncs_that_nobody_waited_for_do_not_put_the_next_client_out_of_step()
    {
        var usual = await DiscardedWithoutLeftoversAsync();
        await LeaveBehindAsync(string.Concat(Enumerable.Range(1, 3).Select(
            id => "\u00FF" + $$$"""{"execute":"guest-sync-delimited","arguments":{"id":{{{id}}}}}""" + "\n")));

        using var session = await Peer.ConnectAsync();

        // Each of the three has its answer and the complaint about its 0xFF.
        Assert.Equal(usual.Replies + (Peer.ChannelOutlivesBothEnds ? 6 : 0), session.LastSync!.RepliesDiscarded);
        await AssertServesAsync(session);
    }

    [Theory]
    [InlineData("{\"execute\":\"guest-pi")]
    [InlineData("{\"execute\":\"guest-file-open\",\"arguments\":{\"path\":\"/a\\")]
    [InlineData("{\"execute\":\"guest-ping\"")]
    [InlineData("{\"execute\":\n")]
    [InlineData("{\"execute\":\"guest-sync\",\"arguments\":{\"id\":12")]
    [InlineData("[[[[[[{\"a\":[")]
    [InlineData("}]}\n")]
    [InlineData("'half a string in the other quotes")]
    [InlineData("tru")]
    [InlineData("\u00FF")]
    [InlineData("\u00FF\u00FF\u00FF{\"execute")]
    [InlineData("\u0000\u0001\u00C3(\u00E2\u0082")]
    public async Task Half_a_request_left_behind_does_not_harm_the_next_client(string leftover)
    {
        await LeaveBehindAsync(leftover);

        using var session = await Peer.ConnectAsync();

        await AssertServesAsync(session);
    }

    [Fact]
    public async Task Nesting_too_deep_for_the_agent_does_not_harm_the_next_client()
    {
        await LeaveBehindAsync(new string('[', 2000));

        using var session = await Peer.ConnectAsync();

        await AssertServesAsync(session);
    }

    [Fact]
    public async Task A_large_answer_that_nobody_read_is_skipped()
    {
        var handle = await MakeFileAsync(new byte[4 << 20]);
        await using (var client = await Peer.ConnectRawAsync())
        {
            await client.SendAsync(FileReadRequest(handle, 4 << 20));
            await client.ReadSomeAsync();
        }

        using var session = await Peer.ConnectAsync();

        Assert.Equal(Peer.ChannelOutlivesBothEnds, session.LastSync!.BytesDiscarded > 1 << 20);
        await AssertServesAsync(session);
    }

    private static string FileReadRequest(long handle, int count) =>
        $$$"""{"execute":"guest-file-read","arguments":{"handle":{{{handle}}},"count":{{{count}}}}}""" + "\n";

    private async Task<(int Replies, long Bytes)> DiscardedWithoutLeftoversAsync()
    {
        (int, long) found;
        using (var session = await Peer.ConnectAsync())
        {
            found = (session.LastSync!.RepliesDiscarded, session.LastSync.BytesDiscarded);
        }

        await Peer.WaitForLeavingAsync(1);
        return found;
    }

    // The agent sees it only once the client has left: no answer finds the client that it is for.
    private async Task LeaveBehindAsync(string bytes)
    {
        await Peer.PauseAsync();
        await using (var client = await Peer.ConnectRawAsync())
        {
            await client.SendAsync(bytes);
        }

        await Peer.WaitForLeavingAsync(1);
        await Peer.ResumeAsync();
    }
}
