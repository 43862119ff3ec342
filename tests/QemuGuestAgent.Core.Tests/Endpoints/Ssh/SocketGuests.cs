using System.Net.Sockets;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Endpoints.Ssh;

/// <summary>Guests with embedded agents, each behind a Unix domain socket of a host.</summary>
internal sealed class SocketGuests : IDisposable
{
    private readonly List<Socket> _listeners = [];

    /// <summary>Has a guest listen, and returns its path.</summary>
    public string Listen(string path)
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(4);
        _listeners.Add(listener);
        _ = ServeAsync(listener);
        return path;
    }

    public void Dispose() => _listeners.ForEach(listener => listener.Dispose());

    private static async Task ServeAsync(Socket listener)
    {
        var agent = new EmbeddedGuestAgent();
        while (true)
        {
            try
            {
                await using var client = new NetworkStream(await listener.AcceptAsync(), ownsSocket: true);
                await agent.ServeAsync(client, CancellationToken.None);
            }
            catch (Exception e) when (e is IOException)
            {
                // The client has left in the middle.
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }
}
