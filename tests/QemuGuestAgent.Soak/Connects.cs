using System.Net.Sockets;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Soak;

/// <summary>Opens, synchronises, asks one thing and closes, again and again: nine in memory, the tenth over a real socket.</summary>
internal static class Connects
{
    public static async Task RunAsync(Part part)
    {
        var folder = Directory.CreateTempSubdirectory("qga-soak");
        using var end = new CancellationTokenSource();
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var path = Path.Combine(folder.FullName, "agent.sock");
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();

        var work = new Work();
        var agent = new EmbeddedGuestAgent(new() { Commands = { [Work.Name] = work.Execute } });
        var serving = ServeAsync(listener, agent, end.Token);
        GuestAgentEndpoint[] endpoints = [EmbeddedEndpoint.Register("soak-connects", agent), new UnixEndpoint(path)];
        for (var i = 0; i < part.Planned && part.MayGoOn; i++)
        {
            await part.WatchAsync(i);
            try
            {
                await ConnectAsync(endpoints[i % 10 == 9 ? 1 : 0], work, i);
            }
            catch (Exception e)
            {
                part.Fail(e, $"connect {i}");
            }

            part.CountOne();
        }

        await end.CancelAsync();
        await serving;
        folder.Delete(recursive: true);
    }

    private static async Task ConnectAsync(GuestAgentEndpoint endpoint, Work work, long number)
    {
        using var session = await GuestAgentSession.ConnectAsync(endpoint);
        var reply = await session.InvokeAsync(work.Request(number));
        if (!work.IsRight(number, reply))
        {
            throw new SoakException($"answered by {reply}");
        }

        if (work.Take() is not [var done] || done != number)
        {
            throw new SoakException("it was carried out another number of times than once");
        }
    }

    private static async Task ServeAsync(Socket listener, EmbeddedGuestAgent agent, CancellationToken end)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptAsync(end);
                _ = agent.ServeAsync(new NetworkStream(client, ownsSocket: true), end);
            }
        }
        catch (OperationCanceledException)
        {
            // The part is over.
        }
    }
}
