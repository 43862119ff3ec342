#if NET
using System.Net.Sockets;
#endif
using System.Text;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>A Unix domain socket, as offered by QEMU's <c>-chardev socket,path=…,server=on</c> or by a listening agent.</summary>
public sealed class UnixEndpoint : GuestAgentEndpoint
{
    /// <summary>The kind in the grammar.</summary>
    public static readonly EndpointKind Kind =
        new("unix", "unix:/path/to/socket (or just the path) or unix:@abstract-name", path => new UnixEndpoint(path), IsPath: true);

    /// <summary>The prefix of a name in the abstract namespace of Linux, which is not a path.</summary>
    internal const char AbstractMark = '@';

    // sizeof(sockaddr_un.sun_path) less the final zero.
    private const int MaxPathBytes = 107;

    /// <summary>Creates an endpoint for a socket.</summary>
    /// <param name="path">
    /// The absolute path of the socket, at most 107 bytes in UTF-8; or its name in the abstract namespace of Linux, after an '@'.
    /// </param>
    /// <exception cref="FormatException">The path is not valid for a socket.</exception>
    public UnixEndpoint(string path)
    {
        if (path.Length == 0)
        {
            throw new FormatException("it has no path");
        }

        if (path.Length == 1 && path[0] == AbstractMark)
        {
            throw new FormatException($"there is no name after the '{AbstractMark}'");
        }

        CheckPath(path);
        SocketPath = path;
    }

    /// <summary>The absolute path of the socket; for an abstract one, '@' and its name.</summary>
    public string SocketPath { get; }

    /// <summary>Whether it is a name in the abstract namespace of Linux, where there are no files and no rights.</summary>
    public bool IsAbstract => SocketPath[0] == AbstractMark;

    /// <summary>Whether the path exists; unknown for an abstract socket.</summary>
    internal bool IsThere => IsAbstract || File.Exists(SocketPath) || Directory.Exists(SocketPath);

    /// <summary>Checks what the address of a socket can hold.</summary>
    /// <exception cref="FormatException">It cannot hold the path.</exception>
    internal static void CheckPath(string path)
    {
        if (path.Contains('\0'))
        {
            throw new FormatException("its path contains a NUL character");
        }

        if (Encoding.UTF8.GetByteCount(path) is var bytes && bytes > MaxPathBytes)
        {
            throw new FormatException($"its path has {bytes} bytes, but a socket's path can have at most {MaxPathBytes}");
        }
    }

    /// <inheritdoc/>
    internal override string LockName => IsAbstract ? ToString() : $"{Kind.Scheme}:{RealPath.Of(SocketPath)}";

    /// <inheritdoc/>
    public override Task<Stream> OpenAsync(CancellationToken cancellationToken)
    {
#if NET
        if (IsAbstract && !OperatingSystem.IsLinux())
        {
            throw ErrorCatalogue.EndpointNotSupported.With(this, "abstract sockets are supported on Linux only");
        }

        if (!Socket.OSSupportsUnixDomainSockets)
        {
            throw ErrorCatalogue.EndpointNotSupported.With(this, "this system has no Unix domain sockets; Windows has them since version 1803");
        }

        var address = new UnixDomainSocketEndPoint(IsAbstract ? '\0' + SocketPath[1..] : SocketPath);
        return SocketConnector.ConnectAsync(this, () => new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified),
            socket => socket.ConnectAsync(address, cancellationToken).AsTask(), cancellationToken);
#else
        throw ErrorCatalogue.EndpointNotSupported.With(this, "Windows PowerShell's .NET Framework has no Unix domain sockets");
#endif
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Kind.Scheme}:{SocketPath}";

    /// <summary>Reports which part of the path is denied: a folder on the way, or the socket itself.</summary>
    internal GuestAgentException Denied(Exception e)
    {
        // What can be read is in a folder that can be entered.
        var folder = Path.GetDirectoryName(SocketPath);
        if (folder is null || File.Exists(SocketPath))
        {
            return ErrorCatalogue.EndpointAccessDenied.Because(e, this, "this account may not write to the socket",
                $"for example: setfacl -m u:NAME:rw '{SocketPath}'");
        }

        while (!Directory.Exists(folder) && Path.GetDirectoryName(folder) is { } parent)
        {
            folder = parent;
        }

        return ErrorCatalogue.EndpointAccessDenied.Because(e, this, $"this account may not enter the folder '{folder}'",
            $"for example: setfacl -m u:NAME:x '{folder}'");
    }
}
