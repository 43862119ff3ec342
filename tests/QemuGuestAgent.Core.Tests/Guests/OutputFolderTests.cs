using System.Globalization;
using System.Runtime.Versioning;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Posix;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Operations.Files;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Guests;

/// <summary>The folder of a program's output in the guest of a real agent, which is this machine, and another user there: nobody.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class OutputFolderTests : RealGuestTests
{
    private static readonly HostWatch Watch = new(TimeSpan.Zero, TimeSpan.FromSeconds(0.1), 1_000_000);

    private OperationTime Time => new(Session.Clock, null);

    public override ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Environment.UserName == "root", "Only root can be nobody too.");
        return base.InitializeAsync();
    }

    [Fact]
    public async Task It_and_all_in_it_are_their_owner_s_alone()
    {
        var files = new OutputFiles(Session, Watch);
        await files.CreateAsync(["in"], Time, TestEnd);
        var modes = Directory.GetFiles(files.Folder).Prepend(files.Folder)
            .ToDictionary(path => Path.GetFileName(path), path => $"{new FileInfo(path).UnixFileMode}");
        await files.RemoveAsync(keepsProgram: false);
        Assert.Equal("UserExecute, UserWrite, UserRead", modes.First().Value);
        Assert.Equal(
            ["err", "in", "out"],
            modes.Skip(1).Where(file => file.Value == "UserWrite, UserRead").Select(file => file.Key).Order());
    }

    [Fact]
    public void Its_name_is_in_no_argument_before_it_is_there()
    {
        var make = OutputScripts.MakeFolder("the-name", Watch, ["in"]);
        Assert.DoesNotContain(make.Arguments, argument => argument.Contains("the-name", StringComparison.Ordinal));
        Assert.Equal("the-name\n", System.Text.Encoding.ASCII.GetString(make.Input!));
    }

    [Theory]
    [InlineData("1777", "root", true)]
    [InlineData("755", "root", true)]
    [InlineData("777", "root", false)]
    [InlineData("1777", "nobody", false)]
    [InlineData("755", "nobody", false)]
    public async Task It_is_made_only_where_others_cannot_replace_it(string mode, string owner, bool isMade)
    {
        // In a mount namespace of its own, whose /var/tmp and /tmp it is.
        const string Inside = """
            mkdir "$1" && chown "$3" "$1" && chmod "$2" "$1" && mount --bind "$1" /var/tmp && mount --bind "$1" /tmp || exit 99
            shift 3
            exec "$@"
            """;
        var name = $"qemu-guest-agent-test-{Guid.NewGuid():N}";
        var make = OutputScripts.MakeFolder(name, Watch with { Look = TimeSpan.FromSeconds(0.1), MaxMissed = 1 }, []);
        var end = await Session.RunToolAsync(
            make with
            {
                Path = "unshare",
                Arguments = ["-m", "/bin/sh", "-c", Inside, "sh", Agent.GuestPath("parent"), mode, owner, make.Path, .. make.Arguments],
            },
            Time,
            TestEnd);
        Assert.SkipWhen(end.ExitCode is 99, "This machine lets nobody mount.");
        Assert.Equal(isMade ? 0 : 1, end.ExitCode);
        Assert.Equal(isMade ? $"/var/tmp/{name}\n" : "", System.Text.Encoding.ASCII.GetString(end.Output));
    }

    [Fact]
    public async Task What_others_put_in_its_place_is_left_alone()
    {
        var files = new OutputFiles(Session, Watch);
        await files.CreateAsync([], Time, TestEnd);
        Assert.True(IsWatched(files.Folder));
        await files.RemoveAsync(keepsProgram: false);

        using var victim = System.Diagnostics.Process.Start("sleep", "1000");
        try
        {
            var path = await PlantAsync(files.Folder, victim.Id);
            await files.GiveSignAsync(Time, TestEnd);
            await files.FreeAsync(OutputFiles.Output, 1 << 30, Time, TestEnd);
            var (execution, wrapper) = await LaunchWrapper.PrepareAsync(
                Session,
                new GuestProcessStart("echo") { Arguments = ["written"] },
                (program, token) => LaunchScripts.IntoFiles(program, files, token),
                Time,
                TestEnd);
            var process = await GuestProcess.StartAsync(Session, execution, Time, TestEnd, null, wrapper);
            await process.WaitAsync(cancellationToken: TestEnd).FailsWith(ErrorCatalogue.ProcessNotStarted);
            var interactive = await GuestProcess.StartAsync(
                Session, InteractiveScript.Prepare(files, null, Watch, new GuestExecution("echo", "written")), Time, TestEnd);
            Assert.Equal(1, (await interactive.WaitAsync(cancellationToken: TestEnd)).ExitCode);
            await files.RemoveAsync(keepsProgram: false);
            await Poll.UntilAsync(() => !IsWatched(files.Folder), "the end of the guest's watch");

            Assert.Equal("root's", await File.ReadAllTextAsync(path, TestEnd));
            Assert.False(victim.HasExited);
            Assert.Equal(["err", "out", "program"], Directory.GetFileSystemEntries(files.Folder).Select(Path.GetFileName).Order());
        }
        finally
        {
            victim.Kill();
            Directory.Delete(files.Folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("chown nobody")]
    [InlineData("ln -sf /run/qemu-guest-agent-test-target")]
    public async Task A_note_of_handles_that_others_wrote_is_not_believed(string disguise)
    {
        // As where others can write to /run.
        var agent = (await RunAsync("echo $PPID")).Trim();
        var note = $"/run/qemu-guest-agent-test-{Guid.NewGuid():N}.left-{agent}";
        var open = await GuestFile.OpenAsync(Session, "/etc/hostname", "r", Time, TestEnd);
        try
        {
            await RunAsync($"echo {open.Handle} >/run/qemu-guest-agent-test-target; echo {open.Handle} >{note}; {disguise} {note}");
            await StreamedProcess.RunAsync(
                Session, new GuestProcessStart("true"), _ => Task.CompletedTask, cancellationToken: TestEnd);
            Assert.True(await open.ReadAsync(new byte[10], 10, TestEnd) > 0);
        }
        finally
        {
            await open.DisposeAsync();
            await RunAsync($"rm -f {note} /run/qemu-guest-agent-test-target");
        }
    }

    // Who watches is in it, also once it is removed.
    private static bool IsWatched(string folder) => Directory.GetDirectories("/proc")
        .Any(process => CurrentFolder(process)?.StartsWith(folder, StringComparison.Ordinal) == true);

    private static string? CurrentFolder(string process)
    {
        try
        {
            return new FileInfo($"{process}/cwd").LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // As nobody: a folder of the same name, whose files lead to one of root's, and a program that is root's.
    private async Task<string> PlantAsync(string folder, int process)
    {
        var path = Agent.GuestPath("victim");
        await File.WriteAllTextAsync(path, "root's", TestEnd);
        var stat = (await File.ReadAllTextAsync($"/proc/{process}/stat", TestEnd)).Split(") ")[^1].Split(' ');
        var plant = string.Create(
            CultureInfo.InvariantCulture,
            $"mkdir {folder} && ln -s {path} {folder}/out && ln -s {path} {folder}/err && echo {process} {stat[19]} 7 >{folder}/program");
        using var attacker = new Attacker();
        attacker.Run(plant);
        return path;
    }

    private async Task<string> RunAsync(string script) => (await GuestProcess.RunAsync(
        Session, new GuestProcessStart("/bin/sh") { Arguments = ["-c", script] }, cancellationToken: TestEnd)).StandardOutput;
}
