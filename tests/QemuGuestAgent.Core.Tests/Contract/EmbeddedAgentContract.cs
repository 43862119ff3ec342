namespace QemuGuestAgent.Core.Tests.Contract;

/// <summary>The contract, against the agent in this process: what passes here and below passes in a guest as well.</summary>
public sealed class EmbeddedAgentContract : AgentContract
{
    protected override Task<AgentPeer> StartPeerAsync() => Task.FromResult<AgentPeer>(new EmbeddedAgentPeer());
}
