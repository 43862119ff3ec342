using System.Globalization;
#if NET
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
#else
using QemuGuestAgent.Core.Errors;
#endif

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>A port of a virtual socket: where an agent started with <c>-m vsock-listen -p cid:port</c> listens in its guest. Linux only.</summary>
public sealed class VsockEndpoint : GuestAgentEndpoint
{
    /// <summary>The kind in the grammar.</summary>
    public static readonly EndpointKind Kind = new("vsock", "vsock:cid:port", Parse);

    /// <summary>Creates an endpoint for a port.</summary>
    /// <param name="cid">The guest's context id: <c>-device vhost-vsock-pci,guest-cid=…</c> of QEMU; 1 is this machine itself.</param>
    /// <param name="port">The port.</param>
    /// <exception cref="FormatException">One of them stands for any.</exception>
    public VsockEndpoint(uint cid, uint port)
    {
        if (cid == uint.MaxValue || port == uint.MaxValue)
        {
            throw new FormatException($"{uint.MaxValue} means any, and cannot be connected to");
        }

        Cid = cid;
        Port = port;
    }

    /// <summary>The guest's context id.</summary>
    public uint Cid { get; }

    /// <summary>The port.</summary>
    public uint Port { get; }

    /// <inheritdoc/>
    internal override string LockName => ToString();

    /// <inheritdoc/>
    public override Task<Stream> OpenAsync(CancellationToken cancellationToken) =>
#if NET
        SocketConnector.ConnectAsync(this, MakeSocket, socket => socket.ConnectAsync(new Address(Cid, Port), cancellationToken).AsTask(), cancellationToken);
#else
        throw ErrorCatalogue.EndpointNotSupported.With(this, "virtual sockets are supported on Linux only");
#endif

    /// <inheritdoc/>
    public override string ToString() => $"{Kind.Scheme}:{Cid}:{Port}";

    private static VsockEndpoint Parse(string rest)
    {
        var parts = rest.Split(':');
        return parts.Length == 2
            ? new VsockEndpoint(Number(parts[0], "cid"), Number(parts[1], "port"))
            : throw new FormatException("it is not a cid and a port");
    }

    private static uint Number(string text, string what) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new FormatException($"its {what} '{text}' is not a 32-bit number");

#if NET
    private const int Family = 40;

    // .NET knows no such family: it takes the socket as it is, and the address as bytes.
    internal static Socket MakeSocket()
    {
        const int stream = 1;
        const int closeOnExec = 0x80000;
        var descriptor = OperatingSystem.IsLinux() ? socket(Family, stream | closeOnExec, 0) : -1;
        return descriptor >= 0
            ? new Socket(new SafeSocketHandle(descriptor, ownsHandle: true))
            : throw new SocketException((int)SocketError.AddressFamilyNotSupported);
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int socket(int family, int type, int protocol);

    // struct sockaddr_vm of Linux.
    internal sealed class Address(uint cid, uint port) : EndPoint
    {
        private const int Size = 16;

        // As .NET calls the family of such a socket: it compares the two.
        public override AddressFamily AddressFamily => AddressFamily.Unknown;

        public override SocketAddress Serialize()
        {
            var address = new SocketAddress(AddressFamily.Unspecified, Size);
            var bytes = address.Buffer.Span;
            bytes.Clear();
            MemoryMarshal.Write(bytes, (ushort)Family);
            MemoryMarshal.Write(bytes[4..], port);
            MemoryMarshal.Write(bytes[8..], cid);
            return address;
        }
    }
#endif
}
