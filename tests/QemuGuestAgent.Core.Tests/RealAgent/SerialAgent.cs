using QemuGuestAgent.Core.Endpoints;

namespace QemuGuestAgent.Core.Tests.RealAgent;

/// <summary>A real agent at the far end of a serial line, whose near end is a terminal of this machine.</summary>
internal sealed class SerialAgent : RealAgentPeer
{
    private readonly Pty _far;
    private readonly Pty _near;
    private readonly SerialCable _cable;

    public SerialAgent(RealAgentBinary binary, bool isRaw = true, bool echoes = false)
        : this(binary, new Pty(), new Pty(isRaw), echoes)
    {
    }

    private SerialAgent(RealAgentBinary binary, Pty far, Pty near, bool echoes)
        : base(binary, "virtio-serial", _ => far.SlavePath)
    {
        (_far, _near) = (far, near);
        _cable = new SerialCable(near, far, echoes);
        Process.Start();
    }

    public override GuestAgentEndpoint Endpoint => new SerialEndpoint(_near.SlavePath);

    public override bool ChannelOutlivesBothEnds => true;

    public override bool ServesOneClient => false;

    public override async ValueTask DisposeAsync()
    {
        _cable.Dispose();
        await base.DisposeAsync();
        _far.Dispose();
        _near.Dispose();
    }
}
