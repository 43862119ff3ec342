using System.Globalization;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Vm;

/// <summary>A file system that is really frozen, and a program that writes to it.</summary>
public sealed class FreezeTests : VmTest
{
    [Fact]
    public async Task A_freeze_stops_a_writer_and_a_thaw_lets_it_go_on()
    {
        using var session = await Vm.BootAsync();
        await StartWriterAsync(session);
        await AssertWritesAsync();

        Assert.Equal(1, (await InvokeAsync(session, "guest-fsfreeze-freeze")).GetInt32());
        await AssertStandsStillAsync();
        await InvokeAsync(session, "guest-exec", new() { ["path"] = "/bin/true" }).FailsWith(ErrorCatalogue.GuestFrozen);
        Assert.Equal(1, (await InvokeAsync(session, "guest-fsfreeze-thaw")).GetInt32());

        await AssertWritesAsync();
        Assert.Equal("thawed", (await InvokeAsync(session, "guest-fsfreeze-status")).GetString());
    }

    private static async Task StartWriterAsync(GuestAgentSession session) =>
        await GuestProcess.StartAsync(session, Shell("echo $$ > /run/writer; while echo line; do :; done > /mnt/written"), cancellationToken: TestEnd);

    private async Task AssertWritesAsync()
    {
        var before = await WrittenAsync();
        await Poll.UntilAsync(async () => await WrittenAsync() > before, "the writer to go on");
    }

    // D: it is in the kernel, which does not let it come back from its write.
    private async Task AssertStandsStillAsync()
    {
        await Poll.UntilAsync(async () => await StateOfWriterAsync() == "D", "the writer to be stopped");
        var before = await WrittenAsync();
        for (var look = 0; look < 10; look++)
        {
            Assert.Equal(("D", before), (await StateOfWriterAsync(), await WrittenAsync()));
        }
    }

    private async Task<long> WrittenAsync() => long.Parse(await LookAsync("stat -c %s /mnt/written"), CultureInfo.InvariantCulture);

    private Task<string> StateOfWriterAsync() => LookAsync("sed 's/.*) \\(.\\).*/\\1/' /proc/$(cat /run/writer)/stat");

    private async Task<string> LookAsync(string commandLine) => Assert.Single(await Vm.RunOnConsoleAsync(commandLine));
}
