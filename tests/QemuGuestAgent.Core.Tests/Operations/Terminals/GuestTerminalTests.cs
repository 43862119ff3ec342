using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Operations.Terminals;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Contract;
using QemuGuestAgent.Core.Tests.Endpoints;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Operations.Terminals;

/// <summary>Shells in a terminal of the guest of a real agent, which is this machine: each subclass brings an agent, or another way to terminals.</summary>
public abstract class GuestTerminalTests : RealGuestTests
{
    private const string Leave = "\u001D";
    private protected const string CtrlC = "\u0003";

    private static readonly EscapeCharacter Escape = EscapeCharacter.Parse("^]");
    private static readonly string[] Parents = ["/var/tmp", "/tmp"];

    private readonly HashSet<string> _before = [.. Folders()];
    private protected PlayedTerminal Here { get; } = new();

    private protected GuestTerminal? Terminal { get; private set; }

    [Fact]
    public async Task It_is_a_terminal_of_the_size_that_it_hasHere()
    {
        Here.Resize(33, 101);
        var running = await EnterAsync();
        Assert.Equal("33 101", await AnswerAsync("stty size"));
        Assert.StartsWith("/dev/pts/", await AnswerAsync("tty"), StringComparison.Ordinal);
        Assert.Equal("xterm-256color", await AnswerAsync("echo $TERM"));
        Assert.Equal("SigIgn:\t0000000000000000", await AnswerAsync("grep SigIgn /proc/self/status"));
        Assert.Equal("0022", await AnswerAsync("umask"));
        Assert.True(Here.IsRaw);
        Here.Resize(40, 132);
        await Poll.UntilAsync(async () => await AnswerAsync("stty size") == "40 132", "the new size");
        await ExitAsync(running);
    }

    [Fact]
    public async Task The_shell_s_exit_code_is_told_and_nothing_is_left()
    {
        var running = await EnterAsync();
        Here.Type("exit 7\r");
        Assert.Equal(7, await running.OrHang());
        Assert.True(Here.IsDisposed);
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Ctrl_C_interrupts_a_program_and_Ctrl_D_ends_the_shell()
    {
        var running = await EnterAsync();
        var shell = await AnswerAsync("echo $$");
        Here.Type("sleep 1000\r");
        var program = await SleepOfAsync(shell);
        Here.Type(CtrlC);
        await Poll.UntilAsync(() => IsGone(program), "its end");
        Assert.Equal("5", await AnswerAsync("echo $((2 + 3))"));
        Here.Type("\u0004");
        await running.OrHang();
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task The_escape_character_leaves_and_ends_what_has_the_terminal()
    {
        var running = await EnterAsync();
        var shell = await AnswerAsync("echo $$");
        Here.Type("sleep 1000\r");
        var program = await SleepOfAsync(shell);
        Here.Type(Leave);
        Assert.Null(await running.OrHang());
        Assert.False(Here.IsRaw);
        await Poll.UntilAsync(() => IsGone(shell) && IsGone(program), "the end of the shell");
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_terminal_that_is_closedHere_is_closed_there()
    {
        var running = await EnterAsync();
        var shell = await AnswerAsync("echo $$");
        Here.HangUp();
        Assert.Null(await running.OrHang());
        await Poll.UntilAsync(() => IsGone(shell), "the end of the shell");
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task What_has_cut_itself_loose_goes_on_and_does_not_hide_the_end()
    {
        var running = await EnterAsync();
        var loose = await AnswerAsync("(trap '' HUP; exec sleep 1000) & echo $!");
        await ExitAsync(running);
        Assert.False(IsGone(loose));
        using var program = Process.GetProcessById(int.Parse(loose, CultureInfo.InvariantCulture));
        program.Kill();
    }

    [Fact]
    public async Task One_that_somebody_else_closes_says_so()
    {
        var running = await EnterAsync();
        await AnswerAsync("tty");
        await Terminal!.Shell.CloseAsync().OrHang();
        await running.FailsWith(ErrorCatalogue.SessionClosed);
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Characters_of_all_kinds_go_both_ways()
    {
        var running = await EnterAsync();
        Assert.Equal("<ünï 漢字 😀>", await AnswerAsync("echo '<ünï 漢字 😀>'"));
        await ExitAsync(running);
    }

    [Fact]
    public async Task A_long_paste_arrives_whole()
    {
        var running = await EnterAsync();
        var file = Agent.GuestPath("pasted");
        var line = "0123456789 abcdefghijklmnopqrstuvwxyz ünï 漢字\n";
        var text = string.Concat(Enumerable.Range(0, 20_000).Select(number => $"{number} {line}"));
        Assert.True(text.Length > 1_000_000);
        Here.Type($"stty -echo; cat >'{file}'; stty echo\r");
        await Poll.UntilAsync(() => File.Exists(file), "the file");
        Here.Type(text);
        Here.Type("\u0004");
        Assert.Equal("5", await AnswerAsync("echo $((2 + 3))"));
        Assert.Equal(text, await File.ReadAllTextAsync(file, TestEnd));
        await ExitAsync(running);
    }

    [Fact]
    public async Task Ten_megabytes_come_whole()
    {
        var running = await EnterAsync();
        var file = Agent.GuestPath("long");
        await File.WriteAllTextAsync(file, string.Concat(Enumerable.Repeat("0123456789abcdef", 640_000)), TestEnd);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var digits = 0L;
        Here.OnShown = bytes => digits += bytes.LongCount(value => value is >= (byte)'0' and <= (byte)'9' or >= (byte)'a' and <= (byte)'f');
        var before = digits;
        Here.Type($"cat '{file}'\r");
        await Poll.UntilAsync(() => digits - before >= 10_240_000, "all of it");
        Assert.Equal("5", await AnswerAsync("echo $((2 + 3))"));
        await ExitAsync(running);
    }

    [Fact]
    public async Task A_flood_waits_for_who_reads_it_and_ends_with_Ctrl_C()
    {
        var running = await EnterAsync();
        Here.Type("yes\r");
        await Poll.UntilAsync(() => Here.Length > 8 << 20, "the flood");
        var typed = Here.Length;
        Here.Type(CtrlC);
        Assert.Equal("5", await AnswerAsync("echo $((2 + 3))"));

        // What the guest was ahead of the reader, and what it wrote until it heard of it.
        TestContext.Current.TestOutputHelper!.WriteLine($"{Here.Length - typed} bytes came after Ctrl+C.");
        Assert.InRange(Here.Length - typed, 0, 16 << 20);
        await ExitAsync(running);
    }

    [Fact]
    public async Task Without_a_sign_of_life_the_guest_ends_it()
    {
        var watch = new HostWatch(TimeSpan.FromDays(1), TimeSpan.FromSeconds(0.1), 30);
        var running = await EnterAsync(new GuestTerminalStart { UserName = null }, watch);
        await running.FailsWith(ErrorCatalogue.InteractiveProcessEnded);
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Another_user_logs_in_at_home()
    {
        Assert.SkipUnless(Environment.UserName == "root", "Only root may run a program as somebody else.");
        var running = await EnterAsync(new GuestTerminalStart { UserName = "daemon", ShellPath = "/bin/sh" });
        Assert.Equal("daemon daemon /usr/sbin /usr/sbin", await AnswerAsync("echo $(id -un) $LOGNAME $HOME $(pwd)"));
        Assert.Equal("daemon", await AnswerAsync("stat -c %U $(tty)"));
        await ExitAsync(running);
    }

    [Fact]
    public async Task It_starts_in_the_folder_that_is_given()
    {
        var folder = Directory.CreateDirectory(Agent.GuestPath("it's a \"folder\"")).FullName;
        var running = await EnterAsync(new GuestTerminalStart { WorkingDirectory = folder, ShellPath = "/bin/sh" });
        Assert.Equal(folder, await AnswerAsync("pwd"));
        await ExitAsync(running);
    }

    [Fact]
    public async Task A_user_that_is_not_there_is_an_error()
    {
        var error = await GuestTerminal.OpenAsync(Session, new GuestTerminalStart { UserName = "nobody-of-that-name" }, cancellationToken: TestEnd)
            .FailsWith(ErrorCatalogue.TerminalNotOpened);
        Assert.Contains("no user 'nobody-of-that-name'", error.Message, StringComparison.Ordinal);
    }

    private protected static IEnumerable<string> Folders() =>
        Parents.SelectMany(parent => Directory.GetDirectories(parent, "qemu-guest-agent-*"));

    private protected Task<Task<int?>> EnterAsync() => EnterAsync(new GuestTerminalStart { ShellPath = "/bin/sh" });

    private protected async Task<Task<int?>> EnterAsync(GuestTerminalStart start, HostWatch? watch = null)
    {
        Terminal = await GuestTerminal.OpenAsync(
            Session, start with { Size = Here.Size }, watch ?? HostWatch.Usual, null, TestEnd).OrHang();
        return Terminal.RunAsync(Here, Escape, TestEnd);
    }

    // What a command writes between two marks, which only its output has: not the echo of the line.
    private protected async Task<string> AnswerAsync(string command)
    {
        var mark = RandomNumberGenerator.GetHexString(8);
        Here.Type($"echo {mark[..4]}''{mark[4..]}; {command}; echo {mark[4..]}''{mark[..4]}\r");
        var end = $"{mark[4..]}{mark[..4]}\n";
        await Poll.UntilAsync(() => Here.Plain.Contains(end, StringComparison.Ordinal), $"the answer to {command}");
        var text = Here.Plain;
        var from = text.LastIndexOf($"{mark}\n", StringComparison.Ordinal) + mark.Length + 1;
        return text[from..text.LastIndexOf(end, StringComparison.Ordinal)].TrimEnd('\n');
    }

    private protected async Task ExitAsync(Task<int?> running)
    {
        Here.Type("exit\r");
        Assert.Equal(0, await running.OrHang());
        await AssertNothingLeftAsync();
    }

    // Once it is the program itself: the shell's fork does not have the terminal at once.
    private static async Task<string> SleepOfAsync(string shell)
    {
        string? program = null;
        await Poll.UntilAsync(
            () => (program = Children(shell).FirstOrDefault(child => File.ReadAllText($"/proc/{child}/comm") == "sleep\n")) is not null,
            "the program");
        return program!;
    }

    private static string[] Children(string processId) =>
        File.ReadAllText($"/proc/{processId}/task/{processId}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static bool IsGone(string processId) => !ExecHost.IsRunning(int.Parse(processId, CultureInfo.InvariantCulture));

    // Other tests that run now have folders too, but not for long.
    private Task AssertNothingLeftAsync()
    {
        var folders = Folders().Where(folder => !_before.Contains(folder)).ToList();
        return Poll.UntilAsync(() => !folders.Exists(Directory.Exists), "the end of the folders");
    }
}

/// <summary>Terminals, with the system's agent.</summary>
public sealed class InstalledAgentGuestTerminalTests : GuestTerminalTests
{
    [Theory]
    [InlineData("zsh")]
    [InlineData("busybox")]
    public async Task Other_shells_have_it_too(string program)
    {
        // Busybox is what it is called.
        var shell = Agent.GuestPath(program == "busybox" ? "ash" : program);
        File.CreateSymbolicLink(shell, InstalledProgram.OrSkip(program));
        var running = await EnterAsync(new GuestTerminalStart { ShellPath = shell });
        Assert.EndsWith($"/{program}", await AnswerAsync("readlink /proc/$$/exe"), StringComparison.Ordinal);
        Assert.StartsWith("/dev/pts/", await AnswerAsync("tty"), StringComparison.Ordinal);
        await ExitAsync(running);
    }
}

/// <summary>Terminals, with the system's agent on a serial port, as in a virtual machine.</summary>
public sealed class InstalledPtyAgentGuestTerminalTests : GuestTerminalTests
{
    [Fact]
    public async Task An_agent_that_was_busy_has_lost_nothing()
    {
        const int last = 300_000;
        var shown = new StringBuilder();
        var running = await EnterAsync();
        Here.OnShown = bytes => shown.Append(Encoding.ASCII.GetString(bytes));
        Here.Type($"seq {last}\r");
        await Poll.UntilAsync(() => shown.Length > 1000, "the first numbers");
        await Agent.PauseAsync();
        await Poll.UntilAsync(() => Session.State == GuestAgentSessionState.OutOfSync, "the end of patience");
        await Agent.ResumeAsync();
        await Poll.UntilAsync(() => Here.Plain.Contains($"\n{last}\n", StringComparison.Ordinal), "the last number");
        Assert.Contains(string.Concat(Enumerable.Range(1, last).Select(number => $"{number}\r\n")), shown.ToString(), StringComparison.Ordinal);
        await ExitAsync(running);
    }

    [Fact]
    public async Task Other_commands_of_the_session_go_on_meanwhile()
    {
        var running = await EnterAsync();
        Here.Type("yes\r");
        await Poll.UntilAsync(() => Here.Length > 1 << 20, "the flood");
        for (var i = 0; i < 20; i++)
        {
            var echo = new GuestProcessStart("echo") { Arguments = [$"{i}"] };
            Assert.Equal($"{i}\n", (await GuestProcess.RunAsync(Session, echo, cancellationToken: TestEnd)).StandardOutput);
        }

        Here.Type(CtrlC);
        Assert.Equal("5", await AnswerAsync("echo $((2 + 3))"));
        await ExitAsync(running);
    }

    protected override Task<AgentPeer> StartAgentAsync() => Task.FromResult<AgentPeer>(new PtyAgent(RealAgentBinary.Installed()));
}

/// <summary>Terminals, with a further agent on a serial port.</summary>
public sealed class FurtherPtyAgentGuestTerminalTests : GuestTerminalTests
{
    protected override Task<AgentPeer> StartAgentAsync() => Task.FromResult<AgentPeer>(new PtyAgent(RealAgentBinary.Further()));
}

/// <summary>Terminals by Python, where no script is.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class PythonGuestTerminalTests : GuestTerminalTests
{
    private protected override RealAgentBinary Binary()
    {
        InstalledProgram.OrSkip("python3");
        return RealAgentBinary.Installed() with { Tools = FailingTools.Folder("script") };
    }
}
