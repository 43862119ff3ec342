using System.Globalization;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using static QemuGuestAgent.Core.Tests.Session.AgentScript;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>The rules of guest-sync-delimited, S5 to S7: a 0xFF at any moment, what is dropped unread, and the ids.</summary>
public sealed class SyncStreamTests
{
    private static readonly GuestAgentSessionOptions Options = new();

    [Fact]
    public async Task S5_a_0xFF_at_any_place_of_a_reply_drops_what_came_of_it()
    {
        using var dialogue = await Dialogue.StartAsync();
        for (var cut = 0; cut < """{"return": 4711, "id": 1}""".Length; cut++)
        {
            var asking = dialogue.Ask("guest-get-time");
            var request = await dialogue.Peer.ReadAsync();
            var reply = Return(request, "4711");
            dialogue.Peer.Write(reply[..cut] + Sentinel + reply);
            Assert.Equal(4711, (await asking.OrHang()).GetInt64());
            Assert.Equal(GuestAgentSessionState.Ready, dialogue.Session.State);
        }
    }

    [Theory]
    [InlineData(Sentinel)]
    [InlineData(Sentinel + Sentinel + Sentinel)]
    [InlineData("half a li" + Sentinel)]
    [InlineData("\n" + Sentinel + "\n")]
    public async Task S5_a_0xFF_that_comes_unasked_for_harms_nothing(string noise)
    {
        using var dialogue = await Dialogue.StartAsync();
        dialogue.Peer.Write(noise);
        await dialogue.IsInSyncAsync();
        dialogue.Peer.Write(noise);
        dialogue.Peer.Write(noise);
        await dialogue.IsInSyncAsync();
    }

    [Fact]
    public async Task S5_what_follows_a_0xFF_inside_a_reply_is_not_taken_for_the_reply()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Ask("guest-get-host-name");
        var request = await dialogue.Peer.ReadAsync();
        dialogue.Peer.Write(Return(request, $$"""{"host-name": "a{{Sentinel}}b"}"""));
        await asking.FailsWith(ErrorCatalogue.ReplyMalformed);
        await dialogue.SynchronisesByItselfAsync();
    }

    [Fact]
    public async Task S5_a_fragment_without_LF_glued_to_the_0xFF_of_the_sync_is_dropped()
    {
        using var dialogue = await Dialogue.StartAsync();
        await dialogue.TimeOutAsync("guest-file-read");
        await dialogue.SynchronisesByItselfAsync("""{"return": {"count": 48, "buf-b64": "c29tZSB""");
    }

    [Fact]
    public async Task S6_megabytes_before_the_0xFF_are_dropped_without_being_kept()
    {
        const int Parts = 1024;
        using var dialogue = await Dialogue.StartAsync();
        var syncing = dialogue.Session.Sync();
        var sync = await dialogue.Peer.ReadAsync();
        long before = 0, after = long.MaxValue;
        dialogue.Peer.Write(StaleBase64());
        dialogue.Peer.Write(Sync(sync)[StrayError.Length..]);
        await dialogue.Peer.AnswerProbeAsync();

        Assert.Equal(Parts * (64L << 10), (await syncing.OrHang()).BytesDiscarded);
        Assert.True(after - before < 1 << 20, $"{after - before} bytes were allocated while 64 MiB were dropped.");
        await dialogue.IsInSyncAsync();

        // Made when read: from the second part on every read is one thread's, so that what it allocates is what the session does.
        IEnumerable<ReadOnlyMemory<byte>> StaleBase64()
        {
            var part = new byte[64 << 10];
            Array.Fill(part, (byte)'A');
            for (var i = 0; i < Parts; i++)
            {
                before = i == 1 ? GC.GetAllocatedBytesForCurrentThread() : before;
                yield return part;
            }

            after = GC.GetAllocatedBytesForCurrentThread();
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData(Sentinel)]
    [InlineData("\n")]
    [InlineData(Sentinel + "\n")]
    [InlineData("""{"return": {}}""" + "\n")]
    public async Task S6_what_is_dropped_is_bounded_however_it_comes(string end)
    {
        using var dialogue = await Dialogue.StartAsync(options: Options with { MaxSyncBytes = 1 << 20 });
        var syncing = dialogue.Session.Sync();
        await dialogue.Peer.ReadAsync();
        var part = System.Text.Encoding.Latin1.GetBytes(new string('x', 3000) + end);
        dialogue.Peer.Write(Enumerable.Repeat<ReadOnlyMemory<byte>>(part, 4000));
        dialogue.Peer.Close();
        await syncing.FailsWith(ErrorCatalogue.SyncSkippedTooMuch);
        Assert.InRange(dialogue.Peer.Stream.BytesTaken, 1 << 20, 2 << 20);
        Assert.Equal(GuestAgentSessionState.Faulted, dialogue.Session.State);
    }

    [Fact]
    public async Task S7_the_id_of_each_sync_is_another_whole_number_of_63_bits()
    {
        using var dialogue = await Dialogue.StartAsync();
        var ids = new HashSet<long> { dialogue.Session.LastSync!.Id };
        for (var i = 0; i < 50; i++)
        {
            var syncing = dialogue.Session.Sync();
            var sync = await dialogue.Peer.AnswerSyncAsync();
            Assert.Equal(sync.SyncId, (await syncing.OrHang()).Id);
            Assert.True(sync.SyncId >= 0);
            Assert.Equal(sync.SyncId.ToString(CultureInfo.InvariantCulture), sync.Arguments.GetProperty("id").GetRawText());
            Assert.True(ids.Add(sync.SyncId));
        }
    }

    [Fact]
    public void S7_ids_are_unique_never_negative_and_use_all_63_bits()
    {
        var ids = Enumerable.Range(0, 10_000).Select(_ => RequestId.Next()).ToHashSet();
        Assert.Equal(10_000, ids.Count);
        Assert.DoesNotContain(ids, id => id < 0);
        Assert.Equal(long.MaxValue, ids.Aggregate((a, b) => a | b));
        Assert.Equal(0, ids.Aggregate((a, b) => a & b));
    }
}
