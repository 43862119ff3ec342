using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Guests;

// How they end, whoever ends them, and that nothing of them stays in the guest.
public abstract partial class InteractiveProcessTests
{
    [Fact]
    public async Task A_receiver_that_fails_leaves_nothing_in_the_guest()
    {
        var process = await StartAsync("cat");
        var running = process.RunAsync(_ => throw new InvalidOperationException("the receiver"));
        process.Send([1]);
        await Assert.ThrowsAsync<InvalidOperationException>(() => running.OrHang());
        await process.CloseAsync().OrHang();
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Its_end_is_told_with_all_that_it_has_written()
    {
        var process = await StartAsync(Shell, "-c", "seq 100000; echo oops >&2; exit 7");
        var error = await process.RunAsync(Take).FailsWith(ErrorCatalogue.InteractiveProcessEnded);
        Assert.Contains("exit code 7: oops", error.Message, StringComparison.Ordinal);
        Assert.Equal(string.Concat(Enumerable.Range(1, 100_000).Select(number => $"{number}\n")), Text);
        await process.CloseAsync().OrHang();
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_an_error_in_the_shell_s_words()
    {
        var process = await StartAsync("/no/such/program");
        var error = await process.RunAsync(Take).FailsWith(ErrorCatalogue.InteractiveProcessEnded);
        Assert.Contains("exit code 127", error.Message, StringComparison.Ordinal);
        Assert.Contains("/no/such/program", error.Message, StringComparison.Ordinal);
        await process.CloseAsync().OrHang();
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task One_that_was_killed_is_told()
    {
        var process = await StartAsync(Shell, "-c", "echo $$; exec sleep 1000");
        var running = process.RunAsync(Take);
        await KillAsync(await FirstProcessAsync());
        var error = await running.FailsWith(ErrorCatalogue.InteractiveProcessEnded);
        Assert.Contains("exit code 137", error.Message, StringComparison.Ordinal);
        await process.CloseAsync().OrHang();
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Without_the_one_that_writes_its_output_it_ends()
    {
        const string WithoutWriter = """
            trap '' PIPE
            echo $$
            for id in $(cat /proc/$PPID/task/$PPID/children); do
              [ "$(cat /proc/$id/comm)" != cat ] || kill -KILL $id
            done
            exec sleep 1000
            """;
        var process = await StartAsync(Shell, "-c", WithoutWriter);
        await process.RunAsync(Take).FailsWith(ErrorCatalogue.InteractiveProcessEnded);
        await process.CloseAsync().OrHang();
        await AssertGoneAsync();
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task What_does_not_end_with_its_input_is_killed_with_what_it_has_started()
    {
        var process = await StartAsync(Shell, "-c", "sleep 1000 & echo $!; echo $$; wait");
        var running = process.RunAsync(Take);
        await Poll.UntilAsync(() => Text.Count(letter => letter == '\n') == 2, "both numbers");
        await process.CloseAsync().OrHang();
        await running.OrHang();
        await AssertGoneAsync();
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_daemon_does_not_hide_the_end()
    {
        var watch = HostWatch.Usual with { Look = TimeSpan.FromSeconds(0.1) };
        var process = await StartAsync(watch, Shell, "-c", "sleep 1000 & echo $!");
        var running = process.RunAsync(Take);
        await running.FailsWith(ErrorCatalogue.InteractiveProcessEnded);
        await process.CloseAsync().OrHang();
        await AssertNothingLeftAsync();
        await KillAsync(await FirstProcessAsync());
    }

    [Fact]
    public async Task Without_a_sign_of_life_the_guest_ends_it()
    {
        var watch = new HostWatch(Never, TimeSpan.FromSeconds(0.1), 30);
        var process = await StartAsync(watch, Shell, "-c", "sleep 1000 & echo $!; echo $$; wait");
        await process.RunAsync(Take).FailsWith(ErrorCatalogue.InteractiveProcessEnded);
        await AssertGoneAsync();
        await AssertFoldersGoneAsync();
        await process.CloseAsync().OrHang();
        await AssertNothingLeftAsync();

        // The next one takes the guest's note of what was open.
        await (await StartAsync("cat")).CloseAsync().OrHang();
    }

    [Fact]
    public async Task What_a_host_that_is_gone_has_left_open_is_closed_by_the_next()
    {
        var watch = new HostWatch(Never, TimeSpan.FromSeconds(0.1), 30);
        var process = await StartAsync(watch, Shell, "-c", "echo $$; exec cat");
        var running = process.RunAsync(Take);
        await FirstProcessAsync();
        Session.Dispose();
        await running.FailsWith(ErrorCatalogue.SessionClosed);
        await AssertGoneAsync();
        await AssertFoldersGoneAsync();

        Session = await Agent.ConnectAsync();
        await (await StartAsync("cat")).CloseAsync().OrHang();
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task With_signs_of_life_it_goes_on()
    {
        var go = Agent.GuestPath("go");
        var process = await StartAsync(SignsOfLife.Watch, Shell, "-c", "echo $$; until [ -e \"$0\" ]; do sleep 0.01; done; exit 9", go);
        var running = process.RunAsync(Take);
        await SignsOfLife.SeenAsync(await FirstProcessAsync());
        await File.WriteAllTextAsync(go, "", TestEnd);
        var error = await running.FailsWith(ErrorCatalogue.InteractiveProcessEnded);
        Assert.Contains("exit code 9", error.Message, StringComparison.Ordinal);
        await process.CloseAsync().OrHang();
    }

    [Fact]
    public async Task The_agent_s_death_ends_it()
    {
        var process = await StartAsync(Shell, "-c", "echo $$; exec cat");
        var running = process.RunAsync(Take);
        await FirstProcessAsync();
        await Agent.KillAsync();
        if (Agent.ChannelOutlivesBothEnds)
        {
            // Nothing tells of it but the next agent, which does not know what this one was asked.
            await Agent.StartAsync();
            await running.FailsWith(ErrorCatalogue.InteractiveProcessLost);
        }
        else
        {
            await running.FailsWith(ErrorCatalogue.ConnectionLost);
        }

        await process.CloseAsync().OrHang();
        await AssertGoneAsync();
        await AssertFoldersGoneAsync();
    }

    [Fact]
    public async Task Giving_up_at_any_moment_of_the_start_leaves_nothing()
    {
        var commands = await GivingUp.AtEveryCommandAsync(
            async (call, stop) =>
            {
                var process = await InteractiveProcess.StartAsync(Session, "cat", [], null, call, stop);
                await process.CloseAsync();
            },
            AssertNothingLeftAsync);
        Assert.True(commands >= 4, $"It took {commands} commands only.");
        await AssertUsableAsync();
    }
}
