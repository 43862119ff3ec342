using System.Text;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Commands;

/// <summary>Agents that answer certain commands with certain JSON, whatever it is.</summary>
internal static class Answers
{
    /// <summary>Connects to an agent that answers a command so. It echoes no ids: its replies are written beforehand.</summary>
    public static Task<GuestAgentSession> ConnectAsync(string command, string json) =>
        ConnectAsync(new Dictionary<string, string> { [command] = json });

    /// <summary>Connects to an agent that answers commands so, and all others as the embedded agent does.</summary>
    public static Task<GuestAgentSession> ConnectAsync(IReadOnlyDictionary<string, string> answers) => ConnectAsync(
        new EmbeddedGuestAgentOptions
        {
            EchoesRequestIds = false,
            Faults = new EmbeddedAgentFaults { RawReplies = answers.ToDictionary(a => a.Key, a => Line(a.Value)) },
        });

    /// <summary>Connects to an embedded agent.</summary>
    public static Task<GuestAgentSession> ConnectAsync(EmbeddedGuestAgentOptions options)
    {
        var endpoint = EmbeddedEndpoint.Register($"answers-{Guid.NewGuid()}", new EmbeddedGuestAgent(options));
        return GuestAgentSession.ConnectAsync(endpoint, cancellationToken: TestContext.Current.CancellationToken);
    }

    /// <summary>Asks an agent that answers the one command so.</summary>
    public static async Task<T> AskAsync<T>(
        Func<GuestAgentSession, CallOptions?, CancellationToken, Task<T>> ask, string command, string json)
    {
        using var session = await ConnectAsync(command, json);
        return await ask(session, null, TestContext.Current.CancellationToken);
    }

    // Latin-1: \u00FF is the byte 0xFF, so that bytes that are no UTF-8 can be written too.
    private static byte[] Line(string json) => Encoding.Latin1.GetBytes($"{{\"return\": {json.ReplaceLineEndings(" ")}}}\n");
}
