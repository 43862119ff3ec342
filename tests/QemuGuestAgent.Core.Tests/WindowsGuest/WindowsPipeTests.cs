using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Guests.Windows;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.WindowsGuest;

/// <summary>The pipes that a script serves in a Windows guest.</summary>
public sealed class WindowsPipeTests(WindowsGuestFixture fixture) : WindowsGuestTest(fixture)
{
    private static readonly OperationTime Time = new(TimeProvider.System, null);

    [Fact]
    public async Task A_pipe_that_somebody_has_made_is_not_served()
    {
        var (helper, _) = await WindowsHelper.FindAsync(Session, Time, TestEnd);
        var program = WindowsProgram.Of(new GuestProcessStart("cmd.exe"));
        var name = WindowsPipe.NewName();
        var first = await helper!.StartProgramAsync(name, program, TimeSpan.FromMinutes(1), Time, TestEnd);
        await helper.StartProgramAsync(name, program, TimeSpan.FromMinutes(1), Time, TestEnd).FailsWith(ErrorCatalogue.GuestPowerShellLost);
        await first.CloseAsync();
    }

    [Fact]
    public async Task A_PowerShell_that_is_not_asked_ends_and_another_takes_its_place()
    {
        WindowsHelper.Of(Session).Patience = TimeSpan.FromSeconds(2);
        await AskAsync();
        await Poll.UntilAsync(() => Guest.CountProcesses("powershell") == 0, "the end of PowerShell");
        await AskAsync();
        Assert.Equal(1, Guest.CountProcesses("powershell"));

        async Task AskAsync()
        {
            var (helper, _) = await WindowsHelper.FindAsync(Session, Time, TestEnd);
            var answer = await helper!.AskAsync("Stop-Question", ["Word", "message"], Time, TestEnd);
            Assert.Equal(("Word", "message"), (answer.Code, Assert.Single(answer.Fields)));
        }
    }
}
