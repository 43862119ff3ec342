using System.Net;
using System.Net.Sockets;

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>A TCP port, as offered by QEMU's <c>-chardev socket,host=…,port=…,server=on</c>.</summary>
public sealed class TcpEndpoint : GuestAgentEndpoint
{
    /// <summary>The kind in the grammar.</summary>
    public static readonly EndpointKind Kind = new("tcp", "tcp://host:port", Parse);

    /// <summary>Creates an endpoint for a port.</summary>
    /// <param name="host">A host's name or IP address.</param>
    /// <param name="port">The port, 1 to 65535.</param>
    /// <exception cref="FormatException">The host or port is invalid.</exception>
    public TcpEndpoint(string host, int port)
    {
        if (Uri.CheckHostName(host) == UriHostNameType.Unknown)
        {
            throw new FormatException($"'{host}' is not a host name or address");
        }

        if (port is < 1 or > 65535)
        {
            throw new FormatException($"its port {port} is not between 1 and 65535");
        }

        Host = host;
        Port = port;
    }

    /// <summary>The host's name or IP address, an IPv6 address without brackets.</summary>
    public string Host { get; }

    /// <summary>The port, 1 to 65535.</summary>
    public int Port { get; }

    /// <inheritdoc/>
    public override string? SecurityWarning =>
        Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address))
            ? null
            : $"'{this}' is neither authenticated nor encrypted: anyone who can reach the port has the agent's rights and can read all traffic. Tunnel it, for example through ssh.";

    /// <inheritdoc/>
    internal override string LockName => ToString().ToLowerInvariant();

    /// <inheritdoc/>
    public override Task<Stream> OpenAsync(CancellationToken cancellationToken) =>
        SocketConnector.ConnectAsync(this, () => new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true },
#if NET
            socket => socket.ConnectAsync(Host, Port, cancellationToken).AsTask(),
#else
            socket => socket.ConnectAsync(Host, Port),
#endif
            cancellationToken);

    /// <inheritdoc/>
    public override string ToString() => Host.Contains(':') ? $"{Kind.Scheme}://[{Host}]:{Port}" : $"{Kind.Scheme}://{Host}:{Port}";

    private static TcpEndpoint Parse(string rest)
    {
        if (!rest.StartsWith("//", StringComparison.Ordinal))
        {
            throw new FormatException("'//' is missing after the colon");
        }

        if (!Uri.TryCreate($"tcp:{rest}", UriKind.Absolute, out var uri) || uri.Host.Length == 0)
        {
            throw new FormatException("it has no host, or an unusable host or port");
        }

        if (uri.Port < 0)
        {
            throw new FormatException("it has no port");
        }

        if (uri.UserInfo.Length > 0 || uri.PathAndQuery is not ("/" or "") || uri.Fragment.Length > 0)
        {
            throw new FormatException("it has more than a host and a port");
        }

        // Not Host, which drops the scope of a link-local address.
        return new TcpEndpoint(uri.DnsSafeHost, uri.Port);
    }
}
