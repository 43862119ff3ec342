using QemuGuestAgent.Core.Guests.Processes;

namespace QemuGuestAgent.Core.Tests.WindowsGuest;

/// <summary>What the tests in the guest rest on.</summary>
public sealed class WindowsMachineTests(WindowsGuestFixture fixture) : WindowsGuestTest(fixture)
{
    [Fact]
    public async Task A_program_runs_there_and_its_file_is_seen_here()
    {
        var result = await WindowsMachine.RunAsync(Session, "cmd", "/c", $@"echo hello> {Folder}\file");

        Assert.Equal(0, result.ExitCode);
        Assert.Equal("hello\r\n", await File.ReadAllTextAsync(Guest.HostPath($@"{Folder}\file"), TestEnd));
    }

    [Fact]
    public async Task Its_processes_are_counted_and_killed()
    {
        Assert.Equal(0, Guest.CountProcesses("cmd"));
        await GuestProcess.StartAsync(Session, new GuestProcessStart("cmd") { Arguments = ["/k"] }, cancellationToken: TestEnd);
        await Guest.OneRunsAsync("cmd");

        await Guest.KillAsync("cmd");

        Assert.Equal(0, Guest.CountProcesses("cmd"));
    }

    [Fact]
    public async Task Its_agent_can_be_killed_and_started_again()
    {
        await Guest.KillAgentAsync();
        Assert.False(Guest.IsAgentRunning);

        await Guest.StartAgentAsync();

        await Session.SynchronizeAsync(cancellationToken: TestEnd);
    }
}
