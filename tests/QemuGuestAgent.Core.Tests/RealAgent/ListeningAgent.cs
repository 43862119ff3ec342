using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Tests.RealAgent;

/// <summary>
/// A real agent that listens on a socket itself. It exits with code 0 when a client closes with unread bytes; in a guest the
/// service manager starts it again, here <see cref="ConnectAsync"/> does.
/// </summary>
internal sealed class ListeningAgent : RealAgentPeer
{
    private const string SocketName = "agent.sock";

    // An agent that takes longer to exit lets the test fail, not pass: nobody waits that long for nothing.
    private static readonly TimeSpan MaxExit = TimeSpan.FromSeconds(5);

    private ListeningAgent(RealAgentBinary binary)
        : base(binary, "unix-listen", folder => folder.Combine(SocketName)) => Endpoint = new UnixEndpoint(Folder.Combine(SocketName));

    private ListeningAgent(RealAgentBinary binary, VsockEndpoint endpoint)
        : base(binary, "vsock-listen", _ => $"{endpoint.Cid}:{endpoint.Port}") => Endpoint = endpoint;

    public override GuestAgentEndpoint Endpoint { get; }

    public override bool ChannelOutlivesBothEnds => false;

    public static Task<ListeningAgent> StartAsync(RealAgentBinary binary) => StartAsync(new ListeningAgent(binary));

    /// <summary>Starts one on a virtual socket of this machine; skips the test where there is none.</summary>
    public static Task<ListeningAgent> StartOnVsockAsync(RealAgentBinary binary) =>
        StartAsync(new ListeningAgent(binary, new VsockEndpoint(VsockLoopback.Cid, VsockLoopback.FreePortOrSkip())));

    private static async Task<ListeningAgent> StartAsync(ListeningAgent agent)
    {
        await agent.StartAsync();
        return agent;
    }

    public override async Task StartAsync()
    {
        // A socket that a killed agent left refuses connections.
        File.Delete(Folder.Combine(SocketName));
        Process.Start();
        await Poll.UntilAsync(Accepts, $"the agent's socket; it has said: {Process.Log}");

        // Once this is answered, the client that tried the socket no longer waits in the queue, which is short.
        await using var client = await ConnectRawAsync();
        await client.SendAsync("""{"execute":"guest-ping"}""" + "\n");
        await client.ReadLineAsync();
    }

    public override async Task<GuestAgentSession> ConnectAsync(GuestAgentEndpoint? endpoint = null, CallOptions? options = null)
    {
        while (true)
        {
            try
            {
                return await base.ConnectAsync(endpoint, options);
            }
            catch (GuestAgentException e) when (e.ErrorId is "ConnectionLost" or "EndpointRefused" or "EndpointNotFound")
            {
                if (!await Poll.TriesAsync(() => Process.HasExited, MaxExit))
                {
                    throw;
                }

                await StartAsync();
            }
        }
    }

    // This is a client too, but one that leaves nothing unread: the agent stays.
    private bool Accepts()
    {
        Assert.False(Process.HasExited, $"The agent has exited: {Process.Log}");
        try
        {
            Endpoint.OpenAsync(CancellationToken.None).GetAwaiter().GetResult().Dispose();
            return true;
        }
        catch (GuestAgentException e) when (e.ErrorId is "EndpointRefused" or "EndpointNotFound")
        {
            return false;
        }
    }
}
