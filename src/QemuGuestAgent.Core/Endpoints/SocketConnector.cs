using System.Net.Sockets;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>Connects a socket, and reports failures as errors of the catalogue.</summary>
internal static class SocketConnector
{
    // Linux's errno if no device, here no virtual machine, has that address.
    private const int NoDevice = 19;

    public static async Task<Stream> ConnectAsync(
        GuestAgentEndpoint endpoint, Func<Socket> make, Func<Socket, Task> connect, CancellationToken cancellationToken)
    {
        Socket? socket = null;
        try
        {
            socket = make();

            // .NET Framework's connect has no cancellation token: disposing the socket ends it there.
            using var abandon = cancellationToken.Register(static s => ((Socket)s!).Dispose(), socket);
            await connect(socket).ConfigureAwait(false);
#if NET
            return new SocketStream(socket);
#else
            return new NetworkStream(socket, ownsSocket: true);
#endif
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            socket?.Dispose();
            throw new OperationCanceledException(cancellationToken);
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            throw Explain(endpoint, e);
        }
    }

    // Linux' errno as .NET maps it: ENOENT is AddressNotAvailable, EAGAIN of a full backlog is WouldBlock or TryAgain; Windows refuses
    // if there is no file. A virtual socket without a listener is reset.
    private static GuestAgentException Explain(GuestAgentEndpoint endpoint, SocketException e) => e.SocketErrorCode switch
    {
        SocketError.AddressFamilyNotSupported =>
            ErrorCatalogue.EndpointNotSupported.Because(e, endpoint, "the operating system has no sockets of that kind"),
        SocketError.AddressNotAvailable when endpoint is UnixEndpoint => ErrorCatalogue.EndpointNotFound.Because(e, endpoint),
        SocketError.ConnectionRefused when endpoint is UnixEndpoint { IsThere: false } => ErrorCatalogue.EndpointNotFound.Because(e, endpoint),
        SocketError.AccessDenied when endpoint is UnixEndpoint unix => unix.Denied(e),
        SocketError.AccessDenied => ErrorCatalogue.EndpointAccessDenied.Because(
            e, endpoint, "the system forbids the connection", "check the firewall, and any sandbox of this process"),
        SocketError.ConnectionRefused => ErrorCatalogue.EndpointRefused.Because(e, endpoint),
        SocketError.ConnectionReset when endpoint is VsockEndpoint => ErrorCatalogue.EndpointRefused.Because(e, endpoint),
        SocketError.WouldBlock or SocketError.TryAgain when endpoint is UnixEndpoint => ErrorCatalogue.EndpointBacklogFull.Because(e, endpoint),
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain =>
            ErrorCatalogue.EndpointHostNotFound.Because(e, endpoint, e.Message),
        _ when e.NativeErrorCode == NoDevice => ErrorCatalogue.EndpointNotFound.Because(e, endpoint),
        _ => ErrorCatalogue.EndpointUnreachable.Because(e, endpoint, e.Message),
    };
}
