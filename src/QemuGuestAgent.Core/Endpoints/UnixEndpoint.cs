#if NET
using System.Net.Sockets;
#else
using QemuGuestAgent.Core.Errors;
#endif
using System.Text;

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>A Unix domain socket: what <c>-chardev socket,path=…,server=on</c> of QEMU, or a listening agent, offers.</summary>
public sealed class UnixEndpoint : GuestAgentEndpoint
{
    /// <summary>The kind in the grammar.</summary>
    public static readonly EndpointKind Kind = new("unix", "unix:/path/to/socket (or just the path)", path => new UnixEndpoint(path), IsPath: true);

    // sizeof(sockaddr_un.sun_path) less the final zero.
    private const int MaxPathBytes = 107;

    /// <summary>Names a socket.</summary>
    /// <param name="path">The absolute path of the socket, at most 107 bytes in UTF-8.</param>
    /// <exception cref="FormatException">The path cannot be one of a socket.</exception>
    public UnixEndpoint(string path)
    {
        if (path.Length == 0)
        {
            throw new FormatException("it has no path");
        }

        if (path.Contains('\0'))
        {
            throw new FormatException("its path holds a zero character");
        }

        if (Encoding.UTF8.GetByteCount(path) is var bytes && bytes > MaxPathBytes)
        {
            throw new FormatException($"its path has {bytes} bytes, and a socket's path has at most {MaxPathBytes}");
        }

        SocketPath = path;
    }

    /// <summary>The absolute path of the socket.</summary>
    public string SocketPath { get; }

    /// <inheritdoc/>
    public override Task<Stream> OpenAsync(CancellationToken cancellationToken) =>
#if NET
        SocketConnector.ConnectAsync(this, new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified),
            socket => socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath), cancellationToken).AsTask(), cancellationToken);
#else
        throw ErrorCatalogue.EndpointNotSupported.With(this, this, "Windows PowerShell's .NET Framework has no Unix domain sockets");
#endif

    /// <inheritdoc/>
    public override string ToString() => $"{Kind.Scheme}:{SocketPath}";
}
