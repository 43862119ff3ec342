using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Contract;

/// <summary>The contract, against the system's agent on a socket of its own.</summary>
public sealed class InstalledListeningAgentContract : AgentContract
{
    protected override async Task<AgentPeer> StartPeerAsync() => await ListeningAgent.StartAsync(RealAgentBinary.Installed());
}

/// <summary>The contract, against the system's agent on a serial port, as in a virtual machine.</summary>
public sealed class InstalledPtyAgentContract : AgentContract
{
    protected override Task<AgentPeer> StartPeerAsync() => Task.FromResult<AgentPeer>(new PtyAgent(RealAgentBinary.Installed()));
}

/// <summary>The contract, against a further agent on a socket of its own.</summary>
public sealed class FurtherListeningAgentContract : AgentContract
{
    protected override async Task<AgentPeer> StartPeerAsync() => await ListeningAgent.StartAsync(RealAgentBinary.Further());
}

/// <summary>The contract, against a further agent on a serial port, as in a virtual machine.</summary>
public sealed class FurtherPtyAgentContract : AgentContract
{
    protected override Task<AgentPeer> StartPeerAsync() => Task.FromResult<AgentPeer>(new PtyAgent(RealAgentBinary.Further()));
}
