using QemuGuestAgent.Core.Endpoints.Ssh;

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>
/// A Unix domain socket of another host, reached by the system's ssh client. Sessions with guests of one host share one connection of
/// ssh, where the client and the host can forward sockets; else each has its own, with a program of the host that relays.
/// </summary>
public sealed class SshEndpoint : GuestAgentEndpoint
{
    /// <summary>The kind in the grammar.</summary>
    public static readonly EndpointKind Kind = new(
        "ssh", "ssh://[user@]host[:port]/path/to/socket (a URI: %20 is a blank), with options of ssh as in ?IdentityFile=/path, or ?sudo", Parse);

    /// <summary>Creates an endpoint for a socket of a host.</summary>
    /// <param name="host">The host.</param>
    /// <param name="path">The absolute path of the socket there, at most 107 bytes in UTF-8.</param>
    /// <exception cref="FormatException">The path is not valid for a socket.</exception>
    public SshEndpoint(SshHost host, string path)
    {
        if (path.Length < 2 || path[0] != '/')
        {
            throw new FormatException("it has no absolute path of a socket after the host");
        }

        UnixEndpoint.CheckPath(path);
        Host = host;
        SocketPath = path;
    }

    /// <summary>The host.</summary>
    public SshHost Host { get; }

    /// <summary>The absolute path of the socket on the host.</summary>
    public string SocketPath { get; }

    /// <inheritdoc/>
    public override string HostName => Host.HostName;

    // Whoever logs in reaches the same socket, unless an option leads elsewhere. The usual link is the same folder on every host.
    /// <inheritdoc/>
    internal override string LockName
    {
        get
        {
            const string link = "/var/run/";
            var path = SocketPath.StartsWith(link, StringComparison.Ordinal) ? $"/run/{SocketPath.Substring(link.Length)}" : SocketPath;
            return $"{Kind.Scheme}://{Host.Address}{path}";
        }
    }

    /// <inheritdoc/>
    public override Task<Stream> OpenAsync(CancellationToken cancellationToken) => SshConnection.OpenSocketAsync(this, cancellationToken);

    /// <inheritdoc/>
    public override string ToString() => Host.At(SocketPath);

    private static SshEndpoint Parse(string rest)
    {
        const string start = "//";
        if (!rest.StartsWith(start, StringComparison.Ordinal))
        {
            throw new FormatException($"it has no '{start}' before the host");
        }

        var parts = rest.Substring(start.Length).Split(['?'], 2);
        var slash = parts[0].IndexOf('/');
        var (options, usesSudo) = SshHost.ParseOptions(parts.Length == 2 ? parts[1] : "");
        var host = SshHost.Parse(slash < 0 ? parts[0] : parts[0].Substring(0, slash), options, usesSudo);
        return new SshEndpoint(host, slash < 0 ? "" : SshHost.Unescape(parts[0].Substring(slash)));
    }
}
