using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Tests.Contract;

namespace QemuGuestAgent.Core.Tests.Vm;

/// <summary>A real agent in a virtual machine. There a killed one is followed by the next without further ado.</summary>
internal sealed class VmAgentPeer : AgentPeer
{
    private readonly VirtualMachine _vm;

    private VmAgentPeer(VirtualMachine vm) => _vm = vm;

    public override GuestAgentEndpoint Endpoint => _vm.Endpoint;

    public override bool ChannelOutlivesBothEnds => true;

    public static async Task<VmAgentPeer> StartAsync(VirtualMachine vm)
    {
        // What the test before has left in the channel is none of this one's business.
        (await vm.ConnectAsync()).Dispose();
        return new VmAgentPeer(vm);
    }

    public override string GuestPath(string name) => $"/tmp/{name}";

    public override Task StartAsync() => Task.CompletedTask;

    public override Task KillAsync() => _vm.KillAgentAsync();

    public override Task PauseAsync() => _vm.RunOnConsoleAsync("killall -STOP qemu-ga");

    public override Task ResumeAsync() => _vm.RunOnConsoleAsync("killall -CONT qemu-ga");

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
