using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Operations.Scripts;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Operations.Scripts;

/// <summary>Scripts in the guest of a real agent.</summary>
public sealed class GuestScriptTests : RealGuestTests
{
    [Theory]
    [InlineData(GuestInterpreter.Sh, "cd ~ && pwd && echo \"$HOME\" && sh -c 'echo \"$HOME\"'", "bash")]
    [InlineData(GuestInterpreter.Bash, "cd ~ && pwd && echo \"$HOME\" && sh -c 'echo \"$HOME\"'", "bash")]
    [InlineData(GuestInterpreter.Python, "import os; print(os.path.expanduser('~')); print(os.environ['HOME'], flush=True); os.system('echo $HOME')", "python3")]
    public async Task A_script_has_a_home_where_the_agent_has_none(GuestInterpreter interpreter, string script, string needed)
    {
        Assert.SkipUnless(
            (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, needed))),
            $"there is no {needed} here");
        var home = await RunAsync(new GuestProcessStart("/bin/sh") { Arguments = ["-c", "eval \"echo ~$(id -un)\""] });
        Assert.Equal(home + home + home, await RunAsync(GuestScript.Prepare(interpreter, script, ["one"], null)));
    }

    [Fact]
    public async Task A_script_of_any_interpreter_has_a_home_its_text_and_its_input_and_leaves_no_file()
    {
        var script = "#!/bin/cat\n" + string.Concat(Enumerable.Range(0, 20_000).Select(number => $"$(id) `id` \\n '{number}\"\n"));
        Assert.Equal(script + "\n", await RunAsync(GuestScript.Prepare(Shebang.Of(script)!, script, [], null)));
        var start = GuestScript.Prepare(new Shebang("/bin/sh", "-u"), "echo \"$#$1\"; cat; ls -l /proc/$$/fd/3 >&2; echo \"$HOME\"", ["a b"], "in\n"u8.ToArray());
        var result = await GuestProcess.RunAsync(Session, start, cancellationToken: TestEnd);
        Assert.Matches("^1a b\nin\n/.+\n$", result.StandardOutput);
        Assert.Matches("pipe:|deleted", result.StandardError);
    }

    private async Task<string> RunAsync(GuestProcessStart start)
    {
        var result = await GuestProcess.RunAsync(Session, start, cancellationToken: TestEnd);
        Assert.Equal((0, ""), (result.ExitCode, result.StandardError));
        return result.StandardOutput;
    }
}
