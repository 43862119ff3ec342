using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Operations.Freezing;
using QemuGuestAgent.Core.Operations.Terminals;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Operations.Terminals;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Vm;

/// <summary>A terminal in a guest of busybox, without accounts.</summary>
public sealed class TerminalTests : VmTest
{
    private readonly PlayedTerminal _here = new();

    [Fact]
    public async Task It_waits_while_the_guest_is_frozen_and_ends_with_its_code()
    {
        using var session = await Vm.BootAsync();
        var terminal = await GuestTerminal.OpenAsync(session, new GuestTerminalStart(), cancellationToken: TestEnd);
        Assert.False(terminal.IsByLine);
        var running = terminal.RunAsync(_here, EscapeCharacter.Parse("^]"), TestEnd);
        _here.Type("tty; stty size\r");
        await AwaitAsync("24 80");
        Assert.Contains("/dev/pts/0", _here.Plain, StringComparison.Ordinal);

        var scope = new FreezeScope([session]);
        Assert.Empty(await scope.FreezeAsync(TestEnd));
        _here.Type("echo la''ter\r");
        Assert.Equal(FreezeResult.Consistent, Assert.Single(await scope.ThawAsync(hasSucceeded: true)).Result);
        await AwaitAsync("later");
        _here.Type("exit 4\r");
        Assert.Equal(4, await running.OrHang());
        Assert.Equal("", await RunAsync(session, "ls /tmp /var/tmp 2>/dev/null | grep qemu-guest-agent || true"));
    }

    [Fact]
    public async Task A_restart_of_the_guest_ends_it_with_an_error()
    {
        using var session = await Vm.BootAsync();
        var terminal = await GuestTerminal.OpenAsync(session, new GuestTerminalStart(), cancellationToken: TestEnd);
        Assert.False(terminal.IsByLine);
        var running = terminal.RunAsync(_here, EscapeCharacter.Parse("^]"), TestEnd);
        _here.Type("echo he''re\r");
        await AwaitAsync("here");
        _here.Type("reboot -f\r");
        await running.FailsWith(ErrorCatalogue.InteractiveProcessLost);
        Assert.True(_here.IsDisposed);
    }

    private Task AwaitAsync(string text) => Poll.UntilAsync(() => _here.Plain.Contains(text, StringComparison.Ordinal), text);
}
