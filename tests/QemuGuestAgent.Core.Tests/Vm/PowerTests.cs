using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Vm;

public sealed class PowerTests : VmTest
{
    [Fact]
    public async Task A_shutdown_is_seen()
    {
        using var session = await Vm.BootAsync();

        await InvokeAsync(session, "guest-shutdown");

        await Vm.PowerOffAsync();
        await InvokeAsync(session, "guest-ping").FailsWith(ErrorCatalogue.ConnectionLost);
    }
}
