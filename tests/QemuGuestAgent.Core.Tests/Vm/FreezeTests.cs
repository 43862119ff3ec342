using System.Globalization;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Freezing;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Vm;

/// <summary>A file system that is really frozen, and a program that writes to it.</summary>
public sealed class FreezeTests : VmTest
{
    private string _writer = "";

    [Fact]
    public async Task A_freeze_stops_a_writer_and_a_thaw_lets_it_go_on()
    {
        using var session = await Vm.BootAsync();
        await StartWriterAsync(session);

        var scope = new FreezeScope([session]);
        Assert.Empty(await scope.FreezeAsync(TestEnd));
        await AssertStandsStillAsync();
        await InvokeAsync(session, "guest-exec", new() { ["path"] = "/bin/true" }).FailsWith(ErrorCatalogue.GuestFrozen);
        var outcome = Assert.Single(await scope.ThawAsync(hasSucceeded: true));

        Assert.Equal((FreezeResult.Consistent, 1, 1), (outcome.Result, outcome.FrozenCount, outcome.ThawedCount));
        await AssertWritesAsync();
    }

    [Fact]
    public async Task After_a_client_was_killed_that_had_frozen_it_the_next_one_sees_that_and_thaws_it()
    {
        using (var former = await Vm.BootAsync())
        {
            await StartWriterAsync(former);
        }

        await FreezingClient.RunAndKillAsync(Vm.AgentSocket);
        await AssertStandsStillAsync();

        using var session = await Vm.ConnectAsync();
        Assert.True(await session.IsFoundFrozenAsync(cancellationToken: TestEnd));
        Assert.Null(await session.ThawAsync(cancellationToken: TestEnd));

        Assert.False(await session.IsFoundFrozenAsync(cancellationToken: TestEnd));
        await AssertWritesAsync();
    }

    [Fact]
    public async Task It_stays_frozen_over_the_agent_s_death_and_the_next_agent_thaws_it()
    {
        using var session = await Vm.BootAsync();
        await StartWriterAsync(session);
        var scope = new FreezeScope([session]);
        Assert.Empty(await scope.FreezeAsync(TestEnd));
        await Vm.KillAgentAsync();
        await AssertStandsStillAsync();

        var outcome = Assert.Single(await scope.ThawAsync(hasSucceeded: true));

        Assert.Equal((FreezeResult.Consistent, 1), (outcome.Result, outcome.FrozenCount));
        await AssertWritesAsync();
    }

    private async Task StartWriterAsync(GuestAgentSession session)
    {
        _writer = await RunAsync(session, "touch /mnt/written; while echo line; do :; done >> /mnt/written 2>&1 & echo $!");
        await AssertWritesAsync();
    }

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

    private async Task<long> WrittenAsync() => long.Parse(await Vm.RunOnConsoleAsync("stat -c %s /mnt/written"), CultureInfo.InvariantCulture);

    private Task<string> StateOfWriterAsync() => Vm.RunOnConsoleAsync($"sed 's/.*) \\(.\\).*/\\1/' /proc/{_writer}/stat");
}
