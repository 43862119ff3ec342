using QemuGuestAgent.Core.Tests.Contract;

namespace QemuGuestAgent.Core.Tests.Vm;

/// <summary>The contract, against the system's agent in a virtual machine.</summary>
[Collection(nameof(VmTest))]
public sealed class VmAgentContract(VmAgentContract.Machine machine) : AgentContract, IClassFixture<VmAgentContract.Machine>
{
    protected override async Task<AgentPeer> StartPeerAsync() => await machine.StartPeerAsync();

    /// <summary>The machine, which all tests of the contract share; each has an agent of its own.</summary>
    public sealed class Machine : IAsyncDisposable
    {
        private VirtualMachine? _vm;

        internal async Task<VmAgentPeer> StartPeerAsync()
        {
            if (_vm is null)
            {
                _vm = new VirtualMachine(VmImage.Named(), agentOptions: $"--block-rpcs={AgentPeer.BlockedCommand}");
                await _vm.PowerOnAsync();
            }
            else
            {
                await _vm.KillAgentAsync();
            }

            return await VmAgentPeer.StartAsync(_vm);
        }

        public async ValueTask DisposeAsync()
        {
            if (_vm is not null)
            {
                await _vm.DisposeAsync();
            }
        }
    }
}
