using QemuGuestAgent.Core.Endpoints;

namespace QemuGuestAgent.Core.Tests.RealAgent;

/// <summary>A real agent as in a virtual machine: behind a serial port (here a terminal) and a socket for one client.</summary>
internal sealed class PtyAgent : RealAgentPeer
{
    private const string SocketName = "channel.sock";

    private readonly Pty _pty;
    private readonly OneClientRelay _relay;

    public PtyAgent(RealAgentBinary binary)
        : this(binary, new Pty())
    {
    }

    private PtyAgent(RealAgentBinary binary, Pty pty)
        : base(binary, "virtio-serial", _ => pty.SlavePath)
    {
        _pty = pty;
        _relay = new OneClientRelay(Folder.Combine(SocketName), pty);
        Process.Start();
    }

    public override GuestAgentEndpoint Endpoint => new UnixEndpoint(Folder.Combine(SocketName));

    public override bool ChannelOutlivesBothEnds => true;

    public override Task StartAsync()
    {
        Process.Start();
        return Task.CompletedTask;
    }

    public override async ValueTask DisposeAsync()
    {
        _relay.Dispose();
        await base.DisposeAsync();
        _pty.Dispose();
    }
}
