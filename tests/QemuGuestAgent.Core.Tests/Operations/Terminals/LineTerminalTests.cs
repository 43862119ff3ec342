using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Operations.Terminals;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;
using System.Runtime.Versioning;

namespace QemuGuestAgent.Core.Tests.Operations.Terminals;

/// <summary>Shells in a guest that has nothing that brings a terminal.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class LineTerminalTests : RealGuestTests
{
    [Fact]
    public async Task Lines_are_read_and_the_exit_code_is_told()
    {
        var here = new PlayedTerminal();
        var terminal = await GuestTerminal.OpenAsync(
            Session, new GuestTerminalStart { ShellPath = "/bin/sh" }, cancellationToken: TestEnd).OrHang();
        Assert.True(terminal.IsByLine);
        var running = terminal.RunAsync(here, EscapeCharacter.Parse("^]"), TestEnd);
        here.Type("echo ans''wer; echo err''or >&2\n");
        await Poll.UntilAsync(() => here.Text.Contains("answer\n", StringComparison.Ordinal) && here.Text.Contains("error\n", StringComparison.Ordinal), "both lines");
        Assert.False(here.IsRaw);
        here.Type("exit 5\n");
        Assert.Equal(5, await running.OrHang());
    }

    private protected override RealAgentBinary Binary() =>
        RealAgentBinary.Installed() with { Tools = FailingTools.Folder("script", "python3") };
}
