using System.Security.Cryptography;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Contract;

namespace QemuGuestAgent.Core.Tests.Vm;

/// <summary>A real virtio-serial port, which outlives clients, agents and guests.</summary>
public sealed class ChannelTests : VmTest
{
    private const string AnyRequest = """{"execute":"guest-sync","arguments":{"id":1}}""" + "\n";

    private const int LongReply = 8 << 20;

    [Fact]
    public async Task What_a_client_sends_before_the_agent_is_there_is_answered_if_it_stays()
    {
        await Vm.PowerOnAsync();

        using var session = await Vm.ConnectAsync();

        await AssertInStepAsync(session, repliesDiscarded: 0);
    }

    [Fact]
    public async Task What_a_client_sent_before_the_agent_was_there_is_lost_if_it_left()
    {
        await Vm.PowerOnAsync();
        await SendAndLeaveAsync();

        using var session = await Vm.ConnectAsync();

        await AssertInStepAsync(session, repliesDiscarded: 0);
    }

    [Fact]
    public async Task What_a_client_sent_to_a_busy_agent_is_answered_to_the_next()
    {
        (await Vm.BootAsync()).Dispose();
        await Vm.RunOnConsoleAsync("killall -STOP qemu-ga");
        await SendAndLeaveAsync();
        await Vm.RunOnConsoleAsync("killall -CONT qemu-ga");

        using var session = await Vm.ConnectAsync();

        await AssertInStepAsync(session, repliesDiscarded: 1);
    }

    [Fact]
    public async Task The_rest_of_a_reply_whose_client_left_is_skipped()
    {
        long handle;
        using (var former = await Vm.BootAsync())
        {
            handle = await OpenLongFileAsync(former);
        }

        await using (var client = await Vm.ConnectRawAsync())
        {
            await client.SendAsync($$$"""{"execute":"guest-file-read","arguments":{"handle":{{{handle}}},"count":{{{LongReply}}}}}""" + "\n");
            await client.ReadSomeAsync();
        }

        using var session = await Vm.ConnectAsync();

        Assert.InRange(session.LastSync!.BytesDiscarded, LongReply / 2, LongReply * 2);
        await AssertInStepAsync(session, repliesDiscarded: 1);
    }

    [Fact]
    public async Task A_session_gets_in_step_with_the_agent_that_follows_one_killed_in_the_middle_of_a_reply()
    {
        (await Vm.BootAsync()).Dispose();
        var tap = new TappedEndpoint(Vm.Endpoint);
        using var session = await Vm.ConnectAsync(tap);
        var handle = await OpenLongFileAsync(session);
        var killed = await RunAsync(session, "pidof qemu-ga");
        using var impatience = CancellationTokenSource.CreateLinkedTokenSource(TestEnd);

        // It is longer than what the channel holds: the agent is still writing when it is killed.
        var held = tap.HoldAfterAsync(1000);
        var outstanding = InvokeAsync(
            session, "guest-file-read", new() { ["handle"] = handle, ["count"] = LongReply }, impatience.Token);
        await held;
        await Vm.KillAgentAsync();
        tap.Release();
        await impatience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => outstanding);
        Assert.NotEqual(killed, await RunAsync(session, "pidof qemu-ga"));
        Assert.InRange(session.LastSync!.BytesDiscarded, 1000, LongReply);
    }

    [Fact]
    public async Task Requests_of_any_length_are_answered()
    {
        using var session = await Vm.BootAsync();
        var handle = (await InvokeAsync(session, "guest-file-open", new() { ["path"] = "/run/written", ["mode"] = "w" })).GetInt64();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var random = new Random(1);
        for (var request = 0; request < 200; request++)
        {
            var bytes = new byte[random.Next(20_000)];
            random.NextBytes(bytes);
            hash.AppendData(bytes);
            var reply = await InvokeAsync(
                session, "guest-file-write", new() { ["handle"] = handle, ["buf-b64"] = Convert.ToBase64String(bytes) });
            Assert.Equal(bytes.Length, reply.GetProperty("count").GetInt32());
        }

        await InvokeAsync(session, "guest-file-close", new() { ["handle"] = handle });

        Assert.StartsWith(Convert.ToHexString(hash.GetHashAndReset()), await RunAsync(session, "sha256sum /run/written"), StringComparison.OrdinalIgnoreCase);
    }

    private static async Task<long> OpenLongFileAsync(GuestAgentSession session)
    {
        await RunAsync(session, $"head -c {LongReply} /dev/zero > /run/long");
        return (await InvokeAsync(session, "guest-file-open", new() { ["path"] = "/run/long" })).GetInt64();
    }

    private async Task SendAndLeaveAsync()
    {
        await using var client = await Vm.ConnectRawAsync();
        await client.SendAsync(AnyRequest);
    }

    // Besides what each sync finds: the complaint about the byte that flushed the agent's parser.
    private static async Task AssertInStepAsync(GuestAgentSession session, int repliesDiscarded)
    {
        Assert.Equal(repliesDiscarded + 1, session.LastSync!.RepliesDiscarded);
        Assert.Equal("here", await RunAsync(session, "echo here"));
    }
}
