using System.Net.Sockets;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>Connects a socket, and says in the catalogue's words why it does not connect.</summary>
internal static class SocketConnector
{
    public static async Task<Stream> ConnectAsync(
        GuestAgentEndpoint endpoint, Socket socket, Func<Socket, Task> connect, CancellationToken cancellationToken)
    {
        // .NET Framework's connect knows no token: disposing the socket ends it there.
        using var abandon = cancellationToken.Register(static s => ((Socket)s!).Dispose(), socket);
        try
        {
            await connect(socket).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            throw new OperationCanceledException(cancellationToken);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw Explain(endpoint, e);
        }
    }

    // Linux' errno as .NET maps it: ENOENT is AddressNotAvailable, EAGAIN of a full backlog is WouldBlock or TryAgain.
    private static GuestAgentException Explain(GuestAgentEndpoint endpoint, SocketException e) => e.SocketErrorCode switch
    {
        SocketError.AddressNotAvailable when endpoint is UnixEndpoint => ErrorCatalogue.EndpointNotFound.Because(e, endpoint, endpoint),
        SocketError.AccessDenied => ErrorCatalogue.EndpointAccessDenied.Because(e, endpoint, endpoint),
        SocketError.ConnectionRefused => ErrorCatalogue.EndpointRefused.Because(e, endpoint, endpoint),
        SocketError.WouldBlock or SocketError.TryAgain when endpoint is UnixEndpoint => ErrorCatalogue.EndpointHeld.Because(e, endpoint, endpoint),
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain =>
            ErrorCatalogue.EndpointHostNotFound.Because(e, endpoint, endpoint, e.Message),
        _ => ErrorCatalogue.EndpointUnreachable.Because(e, endpoint, endpoint, e.Message),
    };
}
