using QemuGuestAgent.Core.Tests.Contract;

namespace QemuGuestAgent.Core.Tests.WindowsGuest;

/// <summary>The contract, against the agent for Windows in a guest.</summary>
[Collection(nameof(WindowsGuestFixture))]
public sealed class WindowsAgentContract(WindowsGuestFixture fixture) : AgentContract
{
    protected override async Task<AgentPeer> StartPeerAsync() => await WindowsAgentPeer.StartAsync(fixture);
}
