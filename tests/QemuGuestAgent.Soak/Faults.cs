using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Soak;

/// <summary>
/// Rounds, each with a fresh agent that is bent in one way: of every request it is known which answer or which error must come and how
/// often the guest may have carried it out. The time is made up, so that no time-out is waited for.
/// </summary>
internal static class Faults
{
    public static async Task RunAsync(Part part, int seed)
    {
        // A kind that is new and has no rules here is no round that passes.
        var ruleless = typeof(EmbeddedAgentFaults).GetProperties().Select(fault => fault.Name).Except(FaultKinds.All.Keys).ToList();
        if (ruleless.Count > 0)
        {
            throw new SoakException($"there are no rules for {string.Join(", ", ruleless)}");
        }

        var kinds = FaultKinds.All.ToArray();
        var passed = TimeSpan.Zero;
        var requests = 0;
        for (var i = 0; i < part.Planned && part.MayGoOn; i++)
        {
            await part.WatchAsync(i);
            var (name, run) = kinds[(uint)(seed + i) % kinds.Length];
            using var round = new Round(new Random(seed + i));
            try
            {
                await run(round);
                await round.EndAsync();
            }
            catch (Exception e)
            {
                part.Fail(e, $"{name}: again with --seed {seed + i} --faults 1 --round-trips 0 --connects 0; the last steps:\n"
                    + string.Join('\n', round.Steps) + "\nThen");
            }

            part.CountOne();
            passed += round.Passed;
            requests += round.Requests;
        }

        part.Remark = $" of {kinds.Length} kinds: {requests:N0} requests, {passed.TotalHours:N0} hours of simulated time";
    }
}
