using System.Text;
using System.Text.Json;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Benchmarks;

/// <summary>A command and its reply; and the way to the first one.</summary>
internal static class RoundTrips
{
    private const int Times = 500;
    private const int LongBytes = 16 << 20;

    // As a session writes it: the id has as many digits as most of its ids.
    private static readonly byte[] Ping = Encoding.ASCII.GetBytes("{\"execute\":\"guest-ping\",\"id\":1234567890123456789}\n");
    private static readonly GuestAgentRequest PingRequest = new("guest-ping");

    public static async Task RunAsync()
    {
        await PingAsync(isRelayed: false);
        await PingAsync(isRelayed: true);
        await AllocationsAsync();
        await ConnectAsync();
    }

    private static async Task PingAsync(bool isRelayed)
    {
        using var bareAgent = new RealAgent(isRelayed);
        using var ourAgent = new RealAgent(isRelayed);
        using var socket = bareAgent.Connect();
        using var session = await GuestAgentSession.ConnectAsync(ourAgent.Endpoint);
        var buffer = new byte[64 << 10];
        if (isRelayed)
        {
            await MeasureAsync("guest-ping in Core through a relay, as QEMU is one, beside a blocking socket loop", "<= 1.10", spins: false);
            return;
        }

        await MeasureAsync("guest-ping in Core, beside a blocking socket loop", "<= 1.10", spins: false, processorTime: true);
        await MeasureAsync("the same, beside a socket loop that never sleeps: the floor", "-", spins: true);

        // A reply that took long, and a request that did not go out at once.
        await File.WriteAllBytesAsync(Path.Combine(ourAgent.Folder, "long"), new byte[LongBytes]);
        await FileFigures.ReadAsync(session, Path.Combine(ourAgent.Folder, "long"), LongBytes);
        await FileFigures.WriteAsync(session, Path.Combine(ourAgent.Folder, "copy"), new byte[LongBytes], LongBytes);
        await MeasureAsync(
            "guest-ping in Core once 16 MiB were read and written, beside that loop", "<= 1.10", spins: false, processorTime: true);

        Task MeasureAsync(string figure, string aim, bool spins, bool processorTime = false) => Comparison.RunAsync(
            figure, aim, Times,
            times =>
            {
                for (var i = 0; i < times; i++)
                {
                    Bare.Exchange(socket, Ping, buffer, spins);
                }

                return Task.CompletedTask;
            },
            times => PingAsync(session, times), processorTime: processorTime);
    }

    private static async Task AllocationsAsync()
    {
        using var agent = new RealAgent();
        using var session = await GuestAgentSession.ConnectAsync(agent.Endpoint);
        await PingAsync(session, Times);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await PingAsync(session, Times);
        var bytes = (GC.GetTotalAllocatedBytes(precise: true) - before) / Times;
        Table.Row("allocations of that round trip", "-", $"{bytes} B", "-", "<= 1024 B");
    }

    private static async Task ConnectAsync()
    {
        using var bareAgent = new RealAgent();
        using var ourAgent = new RealAgent();
        var buffer = new byte[64 << 10];
        byte[] sync = [0xFF, .. "{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":1234567890123456789}}\n"u8];
        byte[] info = [.. "{\"execute\":\"guest-info\",\"id\":1234567890123456789}\n"u8];
        await Comparison.RunAsync(
            "connect, synchronise and ask for guest-info, beside the same bytes by hand", "<= 1.2", Times / 10,
            times =>
            {
                for (var i = 0; i < times; i++)
                {
                    using var socket = bareAgent.Connect();

                    // The agent's word on the stray 0xFF comes first, and a 0xFF before the answer.
                    var count = Bare.Exchange(socket, sync, buffer);
                    while (!buffer.AsSpan(0, count).Contains((byte)0xFF))
                    {
                        count = Bare.Exchange(socket, [], buffer);
                    }

                    Bare.Exchange(socket, info, buffer);
                }

                return Task.CompletedTask;
            },
            async times =>
            {
                for (var i = 0; i < times; i++)
                {
                    using var session = await GuestAgentSession.ConnectAsync(ourAgent.Endpoint);
                }
            },
            processorTime: true);
    }

    /// <summary>Asks so often, one after the other.</summary>
    public static async Task PingAsync(GuestAgentSession session, int times)
    {
        for (var i = 0; i < times; i++)
        {
            await session.InvokeAsync(PingRequest, static (ref Utf8JsonReader reader) => reader.TokenType).ConfigureAwait(false);
        }
    }
}
