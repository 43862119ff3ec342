using System.Text;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.EmbeddedAgent;
using static QemuGuestAgent.Soak.Round;

namespace QemuGuestAgent.Soak;

/// <summary>The ways in which an agent is bent, and the rules of each: what must come of every request.</summary>
internal static class FaultKinds
{
    /// <summary>The properties of <see cref="EmbeddedAgentFaults"/> by their names, and what else happens to agents and sessions.</summary>
    public static readonly IReadOnlyDictionary<string, Func<Round, Task>> All = new Dictionary<string, Func<Round, Task>>
    {
        [nameof(EmbeddedAgentFaults.SilentCommands)] = SilentAsync,
        [nameof(EmbeddedAgentFaults.LostReplies)] = LostAsync,
        [nameof(EmbeddedAgentFaults.EndlessLine)] = EndlessAsync,
        [nameof(EmbeddedAgentFaults.RawReplies)] = RawAsync,
        [nameof(EmbeddedAgentFaults.OnConnectBytes)] = StaleAsync,
        [nameof(EmbeddedAgentFaults.ReplyPrefix)] = PrefixAsync,
        [nameof(EmbeddedAgentFaults.ChunkSize)] = r => HarmlessAsync(r, new() { ChunkSize = r.Random.Next(1, 50) }),
        [nameof(EmbeddedAgentFaults.SentinelInsideReply)] = r => HarmlessAsync(r, new() { SentinelInsideReply = r.Random.Next(1, 4) }),
        [nameof(EmbeddedAgentFaults.DiesMidReply)] = DiesAsync,
        [nameof(EmbeddedAgentFaults.EchoesInput)] = r => HarmlessAsync(r, new() { EchoesInput = true }),
        ["silent altogether"] = SilentAltogetherAsync,
        ["killed"] = KilledAsync,
        ["killed at work"] = KilledAtWorkAsync,
        ["slow"] = SlowAsync,
        ["too slow"] = TooSlowAsync,
        ["blocked"] = BlockedAsync,
        ["refused"] = RefusedAsync,
        ["frozen"] = FrozenAsync,
        ["closed"] = ClosedAsync,
        ["powered off"] = PoweredOffAsync,
    };

    // What comes instead of a reply, where the agent echoes ids, and the error that must come of it.
    private static readonly (string Reply, string ErrorId)[] Raw =
    [
        ("}{\n", "ReplyMalformed"),
        ("HTTP/1.1 400 Bad Request\r\n", "ReplyMalformed"),
        ("{\"return\": {\n", "ReplyMalformed"),
        ("{\"error\": {\"class\": \"GenericError\", \"desc\": \"stray\"}}\n", "RequestLost"),
        ("{\"return\": " + new string('[', 65) + new string(']', 65) + "}\n", "ReplyTooComplex"),
        (new string('x', 100_000), "ReplyTooLong"),
        ("\n", "CommandTimedOut"),
        ("\u00FF", "CommandTimedOut"),
        ("{\"ret", "CommandTimedOut"),
        ("{\"return\": {\"n\": 1, \"check\": 1, \"count\": 1, \"pid\": 1}, \"id\": 5}\n", "CommandTimedOut"),
        ("{\"return\": {\"n\": 1, \"check\": 1, \"count\": 1, \"pid\": 1}}\n", "CommandTimedOut"),
    ];

    private static readonly string[] StaleParts =
    [
        "{\"return\": 9}\n", "{\"return\": {}, \"id\": 7}\n", "{\"error\": {\"class\": \"GenericError\", \"desc\": \"stale\"}}\n", "{\"ret", "\n",
        "\u00FF", "garbage\n", new string('x', 70_000),
    ];

    private static readonly string[] HarmlessPrefixes = ["\u00FF", "\n", " ", "\u00FF\u00FF", " \r\n", "x\u00FF"];

    // A fault that costs nothing.
    private static async Task HarmlessAsync(Round round, EmbeddedAgentFaults faults)
    {
        round.Make(faults, MaybeOld(round));
        await round.ConnectAsync();
        for (var left = round.Random.Next(1, 5); left > 0; left--)
        {
            await round.AnswersAsync();
        }

        await round.RecoversAsync();
    }

    private static async Task SilentAsync(Round round)
    {
        round.Make(new() { SilentCommands = [round.Deed.Command] }, MaybeOld(round));
        await round.ConnectAsync();
        for (var left = round.Random.Next(1, 4); left > 0; left--)
        {
            await GivesUpAsync(round, runs: 1);
        }

        await round.RecoversAsync();
    }

    private static async Task LostAsync(Round round)
    {
        var lost = round.Random.Next(1, 4);
        round.Make(new() { LostReplies = new Dictionary<string, int> { [round.Deed.Command] = lost } }, MaybeOld(round));
        await round.ConnectAsync();
        for (; lost > 0; lost--)
        {
            await GivesUpAsync(round, runs: 1);
        }

        await round.AnswersAsync();
        await round.RecoversAsync();
        await round.AnswersAsync();
    }

    private static async Task EndlessAsync(Round round)
    {
        round.Make(new() { EndlessLine = round.Deed.Command }, MaybeOld(round));
        await round.ConnectAsync();
        await round.FailsAsync("ReplyTooLong", runs: 1);
        await round.FailsAsync("SessionFaulted", runs: 0);
        await round.RecoversAsync();
    }

    private static async Task RawAsync(Round round)
    {
        var (reply, errorId) = Raw[round.Random.Next(Raw.Length)];
        round.Make(new() { RawReplies = new Dictionary<string, byte[]> { [round.Deed.Command] = Encoding.Latin1.GetBytes(reply) } });
        await round.ConnectAsync();
        await round.FailsAsync(errorId, runs: 1, errorId == "CommandTimedOut" ? GivingUp.Time : GivingUp.None);
        await round.RecoversAsync();
    }

    private static async Task StaleAsync(Round round)
    {
        var parts = Enumerable.Range(0, round.Random.Next(1, 6)).Select(_ => StaleParts[round.Random.Next(StaleParts.Length)]);
        var (stale, errorId) = round.Random.Next(8) switch
        {
            0 => ("{\"QMP\": {}}\n", "NotAnAgent"),
            1 => (new string('x', (1 << 20) + (200 << 10)), "SyncSkippedTooMuch"),
            _ => (string.Concat(parts), null),
        };
        round.Make(new() { OnConnectBytes = Encoding.Latin1.GetBytes(stale) }, MaybeOld(round));
        if (errorId is not null)
        {
            await round.ConnectFailsAsync(errorId);
        }

        await round.ConnectAsync();
        await round.AnswersAsync();
        await round.RecoversAsync();
    }

    private static async Task PrefixAsync(Round round)
    {
        if (round.Random.Next(4) > 0)
        {
            var prefix = HarmlessPrefixes[round.Random.Next(HarmlessPrefixes.Length)];
            await HarmlessAsync(round, new() { ReplyPrefix = Encoding.Latin1.GetBytes(prefix) });
            return;
        }

        // Of another request, whose id it has: with ids it deceives nobody.
        round.Make(new() { ReplyPrefix = "{\"return\": {\"n\": 1, \"check\": 1}, \"id\": 5}\n"u8.ToArray() });
        await round.ConnectAsync();
        await round.AnswersAsync();
        await round.RecoversAsync();
    }

    private static async Task DiesAsync(Round round)
    {
        // What it has open and what it has started dies with it.
        var work = new Work();
        round.Deed = work;
        var last = round.Random.Next(1, 5);
        round.Make(new() { DiesMidReply = last }, MaybeOld(round));
        if (last == 1)
        {
            await round.ConnectFailsAsync("AgentSilent", () => UntilAsync(() => round.Agent.Requests.Contains("guest-info")));
        }

        // The first reply is that to guest-info.
        await round.ConnectAsync();
        for (var reply = 2; reply < last; reply++)
        {
            await round.AnswersAsync();
        }

        if (last > 1)
        {
            // What it has read when it dies, a synchronisation too, would die with it.
            await GivesUpAsync(round, runs: 1, () => UntilAsync(() => work.Count == last - 1));
        }

        await round.AnswersAsync();
        await round.RecoversAsync();
    }

    private static async Task SilentAltogetherAsync(Round round)
    {
        round.Deed = new Work();
        round.Make(new() { SilentCommands = ["*"] });
        await round.ConnectFailsAsync("AgentSilent", () => Task.CompletedTask);
        round.Make(new());
        await round.ConnectAsync();
    }

    private static async Task KilledAsync(Round round)
    {
        round.Deed = new Work();
        round.Make(new(), MaybeOld(round));
        await round.ConnectAsync();
        round.Agent.Kill();

        // It waits in the channel, for the agent's next life.
        var asked = await round.FailsAsync("CommandTimedOut", runs: 1, GivingUp.Time);
        round.Agent.Start();
        await round.RecoversAsync();
        if (round.Session.EchoesRequestIds)
        {
            round.CameLate(asked);
        }

        await round.AnswersAsync();
    }

    private static async Task KilledAtWorkAsync(Round round)
    {
        round.Deed = new Work();
        var delay = TimeSpan.FromSeconds(30);
        round.Make(new(), Delayed(round, delay));
        await round.ConnectAsync();
        await GivesUpAsync(round, runs: 0, async () =>
        {
            await round.Time.UntilAwaitedAsync(delay);
            round.Agent.Kill();
            round.Agent.Start();
        });
        await round.RecoversAsync();
    }

    private static async Task SlowAsync(Round round)
    {
        var delay = TimeSpan.FromSeconds(round.Random.Next(1, 59));
        round.Make(new(), Delayed(round, delay));
        await round.ConnectAsync();
        await round.AnswersAsync(async () =>
        {
            await round.Time.UntilAwaitedAsync(delay);
            round.Pass(delay);
        });
        await round.RecoversAsync();
    }

    private static async Task TooSlowAsync(Round round)
    {
        var delay = CallTime + TimeSpan.FromSeconds(round.Random.Next(1, 3600));
        round.Make(new() { LostReplies = new Dictionary<string, int> { [round.Deed.Command] = 1 } }, Delayed(round, delay));
        await round.ConnectAsync();

        // The first is still waited for when the reply to the second comes late.
        var never = await GivesUpAsync(round, runs: 1, () => round.Time.UntilAwaitedAsync(delay));
        round.Pass(delay);
        await round.RecoversAsync();
        var asked = await GivesUpAsync(round, runs: 1, () => round.Time.UntilAwaitedAsync(delay));
        if (round.Random.Next(2) == 0)
        {
            // Also the next one gives up, before the agent comes to it: it was never sent.
            await round.FailsAsync("AgentBusy", runs: 0, GivingUp.TimeUnsent);
        }

        round.Pass(delay);
        await round.RecoversAsync();
        if (round.Session.EchoesRequestIds)
        {
            round.CameLate(asked);
        }

        if (never.Request.LateReply is not null)
        {
            throw new SoakException($"request {never.Number} was given the late reply to request {asked.Number}");
        }
    }

    private static async Task BlockedAsync(Round round)
    {
        round.Deed = new Work();
        round.Make(new(), MaybeOld(round) with { BlockedCommands = [Work.Name] });
        await round.ConnectAsync();
        await round.FailsAsync("CommandDisabled", runs: 0);
        await round.RecoversAsync();
    }

    private static async Task RefusedAsync(Round round)
    {
        var work = new Work { IsRefused = true };
        round.Deed = work;
        round.Make(new(), MaybeOld(round));
        await round.ConnectAsync();
        await round.FailsAsync("AgentError", runs: 0);
        work.IsRefused = false;
        await round.AnswersAsync();
        await round.RecoversAsync();
    }

    private static async Task FrozenAsync(Round round)
    {
        round.Make(new(), MaybeOld(round));
        await round.ConnectAsync();
        await round.Session.InvokeAsync(new GuestAgentRequest("guest-fsfreeze-freeze"));
        await round.FailsAsync("GuestFrozen", runs: 0);
        await round.Session.InvokeAsync(new GuestAgentRequest("guest-fsfreeze-thaw"));
        await round.AnswersAsync();
        await round.RecoversAsync();
    }

    private static async Task ClosedAsync(Round round)
    {
        round.Make(new() { SilentCommands = [round.Deed.Command] }, MaybeOld(round));
        await round.ConnectAsync();

        // In the midst of sending: it may be written or not.
        await round.FailsAsync("SessionClosed", runs: 0, mostRuns: 1, whileWaiting: () =>
        {
            round.Session.Dispose();
            return Task.CompletedTask;
        });
        await round.ConnectAsync();
        await round.RecoversAsync();
    }

    private static async Task PoweredOffAsync(Round round)
    {
        round.Deed = new Work();
        round.Make(new(), MaybeOld(round));
        await round.ConnectAsync();
        await round.Session.InvokeAsync(new GuestAgentRequest("guest-shutdown"));

        // The channel may end before or after it is written to; what was written waits for the guest's next start.
        await round.FailsAsync("ConnectionLost", runs: 0, mostRuns: 1);
        round.Agent.Start();
        await round.RecoversAsync();
        await round.AnswersAsync();
    }

    private static Task<(GuestAgentRequest Request, long Number)> GivesUpAsync(Round round, int runs, Func<Task>? whileWaiting = null) =>
        round.Random.Next(3) == 0
            ? round.FailsAsync(Cancelled, runs, GivingUp.Cancel, whileWaiting)
            : round.FailsAsync("CommandTimedOut", runs, GivingUp.Time, whileWaiting);

    // Of all ages.
    private static EmbeddedGuestAgentOptions MaybeOld(Round round) => new()
    {
        EchoesRequestIds = round.Random.Next(4) > 0,
        KnowsDelimitedSync = round.Random.Next(8) > 0,
    };

    private static EmbeddedGuestAgentOptions Delayed(Round round, TimeSpan delay) => MaybeOld(round) with
    {
        CommandDelays = new Dictionary<string, TimeSpan> { [round.Deed.Command] = delay },
    };
}
