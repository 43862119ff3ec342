using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Guests;

// How programs are started: by whom, with which home, and with their output in files.
public abstract partial class GuestProcessTests
{
    private static bool IsRoot => Environment.UserName == "root";

    [Fact]
    public async Task A_program_has_the_home_that_systemd_does_not_give_the_agent()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        Assert.Equal(home + "\n", (await RunAsync("echo $HOME")).StandardOutput);
        var changed = Shell("echo $HOME $A") with { Environment = new Dictionary<string, string?> { ["A"] = "1" } };
        Assert.Equal(home + " 1\n", (await RunAsync(changed)).StandardOutput);
        var whole = Shell("echo ${HOME-none}") with { Environment = new Dictionary<string, string?>(), ReplacesEnvironment = true };
        Assert.Equal("none\n", (await RunAsync(whole)).StandardOutput);
    }

    [Fact]
    public async Task Another_user_runs_it_with_its_arguments_and_input()
    {
        Assert.SkipUnless(IsRoot, "Only root can become another user.");
        var start = Shell("id -un; pwd; echo \"$HOME $1\"; cat", "a b\"'$(id)") with { UserName = "daemon", Input = [.. "input"u8] };
        var result = await RunAsync(start);
        Assert.Equal(("daemon\n/usr/sbin\n/usr/sbin a b\"'$(id)\ninput", 0), (result.StandardOutput, result.ExitCode!.Value));
        var folder = await RunAsync(Shell("id -un; pwd") with { UserName = "daemon", WorkingDirectory = "/tmp" });
        Assert.Equal("daemon\n/tmp\n", folder.StandardOutput);
        Assert.Equal(3, (await RunAsync(Shell("exit 3") with { UserName = "daemon" })).ExitCode);
    }

    [Theory]
    [InlineData("no-such-user")]
    [InlineData("-h")]
    [InlineData("daemon; id")]
    public async Task An_unknown_user_is_an_error_and_nothing_runs(string user)
    {
        var mark = Agent.GuestPath("ran");
        var error = await RunAsync(Shell("touch \"$1\"", mark) with { UserName = user }).FailsWith(ErrorCatalogue.ProcessNotStarted);
        Assert.Contains("no such user", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(mark));
    }

    [Fact]
    public async Task A_program_that_another_user_may_not_run_was_not_started()
    {
        Assert.SkipUnless(IsRoot, "Only root can become another user.");
        await RunAsync(new GuestProcessStart("/no/such") { UserName = "daemon" }).FailsWith(ErrorCatalogue.ProcessNotStarted);
    }

    [Fact]
    public async Task Output_goes_into_new_files_of_its_owner_only()
    {
        var (output, errors) = (Agent.GuestPath("the output"), Agent.GuestPath("errors"));
        var result = await RunAsync(Shell("echo out; echo err >&2; umask; exit 4") with { OutputPath = output, ErrorPath = errors });
        Assert.Equal(("", "", 4), (result.StandardOutput, result.StandardError, result.ExitCode!.Value));

        // The umask of the program is the agent's still.
        var umask = (await RunAsync("umask")).StandardOutput;
        Assert.Equal("out\n" + umask, File.ReadAllText(output));
        Assert.Equal("err\n", File.ReadAllText(errors));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(output));
        }

        var kept = await RunAsync(Shell("echo out; echo err >&2") with { OutputPath = output + "2" });
        Assert.Equal("err\n", kept.StandardError);
    }

    [Theory]
    [InlineData("file")]
    [InlineData("link to a file")]
    [InlineData("link to nothing")]
    [InlineData("folder")]
    public async Task Output_goes_into_nothing_that_is_there_already(string kind)
    {
        var (path, other) = (Agent.GuestPath("output"), Agent.GuestPath("another's"));
        File.WriteAllText(other, "kept");
        switch (kind)
        {
            case "file":
                File.WriteAllText(path, "kept");
                break;
            case "folder":
                Directory.CreateDirectory(path);
                break;
            default:
                File.CreateSymbolicLink(path, kind == "link to a file" ? other : Agent.GuestPath("made"));
                break;
        }

        var mark = Agent.GuestPath("ran");
        await RunAsync(Shell("touch \"$1\"", mark) with { OutputPath = path }).FailsWith(ErrorCatalogue.ProcessNotStarted);
        Assert.False(File.Exists(mark));
        Assert.False(File.Exists(Agent.GuestPath("made")));
        Assert.Equal("kept", File.ReadAllText(other));
    }

    [Fact]
    public async Task Output_needs_an_absolute_path_and_a_program_that_is_there()
    {
        await RunAsync(Shell("true") with { OutputPath = "relative" }).FailsWith(ErrorCatalogue.GuestPathNotRooted);
        var path = Agent.GuestPath("unused");
        var error = await RunAsync(new GuestProcessStart("no-such-program") { OutputPath = path, ErrorPath = path + "2" })
            .FailsWith(ErrorCatalogue.ProcessNotStarted);
        Assert.Contains("no-such-program: not found", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task A_time_out_tells_what_was_written()
    {
        var call = new Core.Session.CallOptions { Timeout = TimeSpan.FromSeconds(3) };
        var error = await GuestProcess.RunAsync(Session, Shell("echo first; echo last; exec sleep 1000"), call: call, cancellationToken: TestEnd)
            .FailsWith(ErrorCatalogue.ProcessTimedOut);
        Assert.Contains("its last line of output was 'last'", error.Message, StringComparison.Ordinal);
        Assert.Equal("first\nlast\n", error.Data["StandardOutput"]);
    }
}
