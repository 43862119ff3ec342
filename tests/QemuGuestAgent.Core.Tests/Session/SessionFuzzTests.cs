using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Wire;
using static QemuGuestAgent.Core.Tests.Session.AgentScript;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>An agent that answers at random, and wrongly: only errors of the catalogue come out, and every call ends.</summary>
public sealed class SessionFuzzTests
{
    private static readonly GuestAgentSessionOptions Options =
        new() { MaxReplyBytes = 512, MaxSyncBytes = 4096, MaxReplyDepth = 6, MaxReplyValues = 40 };

    private static readonly string[] ToBeMet =
    [
        "none", "cancelled", "CommandTimedOut", "ConnectionLost", "ReplyMalformed", "ReplyTooComplex", "ReplyTooLong",
        "RequestLost", "AgentError",
    ];

    [Theory]
    [InlineData(1_000_000)]
    [InlineData(2_000_000)]
    public async Task Three_thousand_sessions_with_a_mad_agent_do_no_harm(int firstSeed)
    {
        var outcomes = new Dictionary<string, int>();
        for (var seed = firstSeed; seed < firstSeed + 1500; seed++)
        {
            try
            {
                await TalkAsync(seed, outcomes).OrHang();
            }
            catch (Exception e)
            {
                Assert.Fail($"Seed {seed}: {e}");
            }
        }

        // The sessions get far enough to meet all of these.
        Assert.All(ToBeMet, id => Assert.Contains(id, outcomes.Keys));
    }

    private static async Task TalkAsync(int seed, Dictionary<string, int> outcomes)
    {
        var (endpoint, time) = (new ScriptedPeer(), new WatchedTime());
        using var agents = new CancellationTokenSource();
        var serving = ServeAsync(endpoint, time, seed, agents.Token);
        var random = new Random(seed);
        GuestAgentSession? session = null;
        await Try(async () => session = await endpoint.Connect(Options with { TimeProvider = time }));
        for (var i = 0; session is not null && i < 4; i++)
        {
            using var cancel = new CancellationTokenSource();
            var asking = session.AskUntil(random.Next(5) == 0 ? "guest-shutdown" : "guest-ping", cancel.Token);
            if (random.Next(4) == 0)
            {
                await cancel.CancelAsync();
            }

            await Try(() => asking);
            if (session.State == GuestAgentSessionState.Faulted)
            {
                await Try(() => session.Sync());
            }
        }

        session?.Dispose();
        await agents.CancelAsync();
        await serving;

        async Task Try(Func<Task> call)
        {
            var outcome = "none";
            try
            {
                await call();
            }
            catch (GuestAgentException e)
            {
                outcome = e.ErrorId;
            }
            catch (OperationCanceledException)
            {
                outcome = "cancelled";
            }

            outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
        }
    }

    private static async Task ServeAsync(ScriptedPeer endpoint, WatchedTime time, int seed, CancellationToken cancellationToken)
    {
        var random = new Random(-seed);
        try
        {
            while (true)
            {
                await ServeAsync(await endpoint.NextAsync(cancellationToken), time, random);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private static async Task ServeAsync(PeerConnection peer, WatchedTime time, Random random)
    {
        for (var left = random.Next(2, 20); left > 0 && await peer.TryReadAsync() is { } request; left--)
        {
            var result = request.Command == "guest-info" ? """{"version": "1"}""" : "{}";
            var reply = Bytes.Of(request.IsSync ? Sync(request) : Return(request, result));
            var noise = FuzzBytes.Next(random);
            var place = random.Next(reply.Length);
            switch (random.Next(10))
            {
                case 0: peer.Write(noise); break;
                case 1: peer.Write(reply[..place]); break;
                case 2: peer.Write([.. reply[..place], .. noise, .. reply[place..]]); break;
                case 3: peer.Write(noise); peer.Write(reply); break;
                case 4: peer.Write(reply); peer.Write(noise); break;
                case 5: peer.Write(Enumerable.Repeat<ReadOnlyMemory<byte>>(noise, random.Next(20))); peer.Write(reply); break;
                case 6: peer.Write(Error(request, "refused")); break;
                default: peer.Write(reply); break;
            }

            // A client that is still waiting when it has taken all this waits in vain: its time is over.
            var writes = peer.Stream.Writes;
            peer.Then(() => time.Advance(writes == peer.Stream.Writes ? Dialogue.CallTime : TimeSpan.Zero));
        }

        peer.Close();
        while (await peer.TryReadAsync() is not null)
        {
        }
    }
}
