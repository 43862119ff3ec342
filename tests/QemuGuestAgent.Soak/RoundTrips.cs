using QemuGuestAgent.Core.Session;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Soak;

/// <summary>Commands whose answer follows from their arguments, over sessions that last.</summary>
internal static class RoundTrips
{
    /// <summary>One caller of one session.</summary>
    public static async Task OverOneSessionAsync(Part part, int seed)
    {
        var work = new Work();
        using var session = await ConnectAsync("soak-one", work);
        var caller = await Caller.StartAsync(session, work, new Random(seed));
        for (var i = 0; i < part.Planned && part.MayGoOn; i++)
        {
            await part.WatchAsync(i);
            await AskAsync(part, caller);
        }

        CheckDone([caller]);
    }

    /// <summary>Several sessions at once, each with several callers.</summary>
    public static async Task OverSeveralAsync(Part part, int seed)
    {
        const int sessionCount = 4, callersEach = 2, batch = 100;
        var sessions = new List<GuestAgentSession>();
        var callers = new List<Caller>();
        for (var i = 0; i < sessionCount; i++)
        {
            var work = new Work();
            sessions.Add(await ConnectAsync($"soak-{i}", work));
            for (var j = 0; j < callersEach; j++)
            {
                callers.Add(await Caller.StartAsync(sessions[i], work, new Random(seed + 1 + callers.Count)));
            }
        }

        for (var i = 0; i < part.Planned && part.MayGoOn; i += batch * callers.Count)
        {
            await part.WatchAsync(i);
            await Task.WhenAll(callers.Select(caller => Task.Run(async () =>
            {
                for (var j = 0; j < batch; j++)
                {
                    await AskAsync(part, caller);
                }
            })));
        }

        CheckDone(callers);
        sessions.ForEach(session => session.Dispose());
    }

    private static void CheckDone(List<Caller> callers)
    {
        if (callers.Sum(caller => caller.Outstanding) is var outstanding and not 0)
        {
            throw new SoakException($"{outstanding} works more were answered than carried out", isLost: outstanding > 0);
        }
    }

    private static async Task AskAsync(Part part, Caller caller)
    {
        try
        {
            await caller.AskAsync();
        }
        catch (Exception e)
        {
            part.Fail(e, "after this many: " + part.Count);
        }

        part.CountOne();
    }

    private static async Task<GuestAgentSession> ConnectAsync(string name, Work work) =>
        await GuestAgentSession.ConnectAsync(EmbeddedEndpoint.Register(name, new EmbeddedGuestAgent(new()
        {
            Commands = { [Work.Name] = work.Execute },
        })));
}
