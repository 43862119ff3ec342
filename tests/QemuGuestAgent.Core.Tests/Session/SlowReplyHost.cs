using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>A process of its own that sends a command, and a long one, to an agent that is slow.</summary>
internal static class SlowReplyHost
{
    public const string Argument = "ask-a-slow-agent";

    /// <summary>More than a socket takes at once.</summary>
    public const int LongBytes = 4 << 20;

    // The thread that waits, as .NET names it and Linux shows it.
    private const string Waiting = ".NET Long Runni";

    // What Linux shows of an epoll(7) that waits for something: a line for each.
    private const string Watched = "tfd";

    /// <summary>What the process does.</summary>
    public static async Task<int> RunAsync(string socket)
    {
        using var session = await GuestAgentSession.ConnectAsync(new UnixEndpoint(socket));
        await session.InvokeAsync(new GuestAgentRequest("guest-ping"));
        return (int)await session.WriteFileAsync(1, new byte[LongBytes], new CallOptions(), CancellationToken.None) - LongBytes;
    }

    /// <summary>Waits until one of its threads only waits, and .NET has no socket that it waits for.</summary>
    public static Task WaitUntilWaitingAsync(int process) => RealAgent.Poll.UntilAsync(
        () =>
        {
            Assert.DoesNotContain(Watched, Texts($"/proc/{process}/fdinfo").SelectMany(text => text.Split('\n', ':')));
            return Texts($"/proc/{process}/task", "comm").Any(name => name.StartsWith(Waiting, StringComparison.Ordinal));
        },
        "a thread that waits");

    private static IEnumerable<string> Texts(string folder, string name = "")
    {
        foreach (var entry in Directory.GetFileSystemEntries(folder))
        {
            string text;
            try
            {
                text = File.ReadAllText(Path.Combine(entry, name));
            }
            catch (IOException)
            {
                // It has just ended.
                continue;
            }

            yield return text;
        }
    }
}
