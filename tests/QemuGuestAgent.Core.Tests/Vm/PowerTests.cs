using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Power;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Vm;

/// <summary>A guest that really restarts and shuts down.</summary>
public sealed class PowerTests : VmTest
{
    private const string BootId = "cat /proc/sys/kernel/random/boot_id";

    private static readonly CallOptions Patiently = new() { Timeout = TimeSpan.FromSeconds(120) };

    [Fact]
    public async Task After_a_restart_the_session_is_in_step_with_the_new_agent()
    {
        using var session = await Vm.BootAsync();
        var former = await RunAsync(session, BootId);

        await session.ChangePowerAsync(GuestPowerChange.Restart, waits: true, Patiently, TestEnd);

        Assert.NotEqual(former, await RunAsync(session, BootId));
    }

    [Fact]
    public async Task A_shutdown_is_seen_when_it_has_happened()
    {
        using var session = await Vm.BootAsync();

        await session.ChangePowerAsync(GuestPowerChange.PowerOff, waits: true, Patiently, TestEnd);

        await Vm.PowerOffAsync();
        await InvokeAsync(session, "guest-ping").FailsWith(ErrorCatalogue.SessionFaulted);
    }

    [Fact]
    public async Task A_halt_is_seen_when_it_has_happened()
    {
        using var session = await Vm.BootAsync();

        await session.ChangePowerAsync(GuestPowerChange.Halt, waits: true, Patiently, TestEnd);

        Assert.True(Vm.IsPoweredOn);
    }
}
