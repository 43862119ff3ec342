using System.Net;
using System.Net.Sockets;
using QemuGuestAgent.Core.Endpoints;

namespace QemuGuestAgent.Core.Tests.RealAgent;

/// <summary>A real agent as in a virtual machine: behind a serial port (here a terminal) and a socket for one client.</summary>
internal sealed class PtyAgent : RealAgentPeer
{
    private readonly Pty _pty;
    private readonly OneClientRelay _relay;

    /// <summary>Starts it.</summary>
    /// <param name="binary">The agent.</param>
    /// <param name="address">Where the socket listens; null is a path.</param>
    /// <param name="endpoint">How a client gets there; null is by its path.</param>
    public PtyAgent(RealAgentBinary binary, EndPoint? address = null, Func<EndPoint, GuestAgentEndpoint>? endpoint = null)
        : this(binary, new Pty(), address, endpoint)
    {
    }

    private PtyAgent(RealAgentBinary binary, Pty pty, EndPoint? address, Func<EndPoint, GuestAgentEndpoint>? endpoint)
        : base(binary, "virtio-serial", _ => pty.SlavePath)
    {
        _pty = pty;
        _relay = new OneClientRelay(address ?? new UnixDomainSocketEndPoint(Folder.Combine("channel.sock")), pty);
        Endpoint = endpoint?.Invoke(_relay.Address) ?? new UnixEndpoint($"{_relay.Address}");
        Process.Start();
    }

    public override GuestAgentEndpoint Endpoint { get; }

    public override bool ChannelOutlivesBothEnds => true;

    /// <summary>How many clients have left.</summary>
    public int ClientsLeft => _relay.ClientsLeft;

    public override async ValueTask DisposeAsync()
    {
        _relay.Dispose();
        await base.DisposeAsync();
        _pty.Dispose();
    }
}
