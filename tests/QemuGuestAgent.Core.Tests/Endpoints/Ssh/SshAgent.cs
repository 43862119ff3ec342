using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Tests.Contract;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Endpoints.Ssh;

/// <summary>A real agent as in a virtual machine, on a host that ssh reaches, by a connection that is there.</summary>
internal sealed class SshAgent : AgentPeer
{
    private readonly PtyAgent _agent;
    private int _left;

    private SshAgent(SshServer server, RealAgentBinary binary) =>
        _agent = new PtyAgent(binary, endpoint: address => new SshEndpoint(server.Host, $"{address}"));

    public override GuestAgentEndpoint Endpoint => _agent.Endpoint;

    public override bool ChannelOutlivesBothEnds => true;

    public override bool NextAgentAnswersTheUnread => true;

    public static async Task<SshAgent> StartAsync(SshServer server, RealAgentBinary binary)
    {
        var peer = new SshAgent(server, binary);
        await (await peer.ConnectRawAsync()).DisposeAsync();
        await peer.WaitForLeavingAsync(clients: 1);
        return peer;
    }

    public override string GuestPath(string name) => _agent.GuestPath(name);

    public override Task StartAsync() => _agent.StartAsync();

    public override Task KillAsync() => _agent.KillAsync();

    public override Task PauseAsync() => _agent.PauseAsync();

    public override Task ResumeAsync() => _agent.ResumeAsync();

    // ssh passes it on later: each client leaves once.
    public override Task WaitForLeavingAsync(int clients)
    {
        _left += clients;
        return Poll.UntilAsync(() => _agent.ClientsLeft >= _left, "the client's leaving");
    }

    public override ValueTask DisposeAsync() => _agent.DisposeAsync();
}
