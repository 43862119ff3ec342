using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Tests.Endpoints.Ssh;

/// <summary>A process of its own that has a session by ssh, until it is killed.</summary>
internal static class SshClientHost
{
    public const string Argument = "connect-by-ssh";

    public static async Task<int> RunAsync(string endpoint)
    {
        await using var session = await GuestAgentSession.ConnectAsync(EndpointGrammar.Default.Parse(endpoint));
        Console.WriteLine("up");
        return await new TaskCompletionSource<int>().Task;
    }
}
