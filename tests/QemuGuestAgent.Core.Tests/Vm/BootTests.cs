using QemuGuestAgent.Core.Operations.Health;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Tests.Vm;

/// <summary>Clients that are there before the guest is.</summary>
public sealed class BootTests : VmTest
{
    [Fact]
    public async Task A_machine_switched_on_after_the_wait_for_it_began_is_waited_for()
    {
        var began = new TaskCompletionSource();
        var patiently = new CallOptions { Timeout = TimeSpan.FromSeconds(120), Trace = _ => began.TrySetResult() };
        var waiting = AgentReadiness.WaitAsync(Vm.Endpoint, call: patiently, cancellationToken: TestEnd);
        await began.Task;
        await Vm.PowerOnAsync();

        using var session = await waiting;

        Assert.Equal("here", await RunAsync(session, "echo here"));
    }

    [Fact]
    public async Task What_a_client_sends_before_the_agent_is_there_is_answered_if_it_stays()
    {
        await Vm.PowerOnAsync();

        using var session = await Vm.ConnectAsync(new() { SyncRepeatWait = TimeSpan.Zero });

        // What comes before the answer is the complaint about the one byte before it.
        Assert.Equal(1, session.LastSync!.RepliesDiscarded);
        Assert.Equal("here", await RunAsync(session, "echo here"));
    }

    [Fact]
    public async Task What_a_client_sent_before_the_agent_was_there_is_lost_if_it_left()
    {
        await Vm.PowerOnAsync();
        await using (var client = await Vm.ConnectRawAsync())
        {
            await client.SendAsync("""{"execute":"guest-sync","arguments":{"id":1}}""" + "\n");
        }

        using var session = await Vm.ConnectAsync(new() { SyncRepeatWait = TimeSpan.Zero });

        Assert.Equal(1, session.LastSync!.RepliesDiscarded);
        Assert.Equal("here", await RunAsync(session, "echo here"));
    }

    [Fact]
    public async Task A_sync_that_dies_with_the_agent_is_sent_again()
    {
        using var session = await Vm.BootAsync();
        await Vm.RunOnConsoleAsync("killall -STOP qemu-ga");
        var (syncs, sent) = (0, new TaskCompletionSource());
        var watched = new CallOptions { Timeout = TimeSpan.FromSeconds(120), Trace = Watch };
        var syncing = session.SynchronizeAsync(watched, TestEnd);
        await sent.Task;

        await Vm.KillAgentAsync();

        await syncing;
        Assert.True(syncs > 1);
        Assert.Equal("here", await RunAsync(session, "echo here"));

        void Watch(TraceEvent e)
        {
            if (e.Kind == TraceKind.Sent && e.Text.Contains("guest-sync-delimited", StringComparison.Ordinal))
            {
                syncs++;
                sent.TrySetResult();
            }
        }
    }
}
