using System.Diagnostics;
using System.Net.Sockets;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.WindowsGuest;

/// <summary>
/// A Windows guest in Wine: the real agent, behind a socket for one client, as QEMU's is. It is a copy of the one that
/// tests/tools/windows-guest.sh has built, for this one is killed, and others may use that one now.
/// </summary>
public sealed class WindowsMachine : IAsyncDisposable
{
    private const string Variable = "QEMU_GA_WINDOWS";
    private const string AgentProgram = "qemu-ga";

    private static readonly string Script = Path.Combine(Repository.Root, "tests", "tools", "windows-guest.sh");

    private readonly LabFolder _lab = new();
    private readonly Pty _pty = new();
    private readonly OneClientRelay _relay;

    private WindowsMachine()
    {
        _relay = new OneClientRelay(new UnixDomainSocketEndPoint(_lab.Combine("channel.sock")), _pty);
        Endpoint = new UnixEndpoint($"{_relay.Address}");
    }

    /// <summary>Where its agent is.</summary>
    public GuestAgentEndpoint Endpoint { get; }

    private string Folder => _lab.Combine("guest");

    private string Prefix => Path.Combine(Folder, "wine");

    /// <summary>Whether the agent has a process.</summary>
    public bool IsAgentRunning => CountProcesses(AgentProgram) > 0;

    /// <summary>Makes one, whose agent does not run yet; skips the test where the environment names no guest.</summary>
    // A path that leads nowhere fails the tests: whoever set it wants them to run.
    public static async Task<WindowsMachine> CreateAsync()
    {
        var built = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(string.IsNullOrEmpty(built), $"no Windows guest is named: {Variable}=$(tests/tools/windows-guest.sh build FOLDER)");
        var guest = new WindowsMachine();
        await RunScriptAsync("copy", built, guest.Folder);
        var run = Directory.CreateDirectory(Path.Combine(guest.Folder, "run")).FullName;
        File.CreateSymbolicLink(Path.Combine(run, "com1"), guest._pty.SlavePath);
        return guest;
    }

    /// <summary>Starts the agent. What is sent to it waits until it is there.</summary>
    public async Task StartAgentAsync(params string[] options)
    {
        Assert.False(IsAgentRunning, "The agent is running already.");
        await RunScriptAsync(["agent", Folder, .. options]);
        await Poll.UntilAsync(() => IsAgentRunning, "the agent's process");
    }

    /// <summary>Kills the agent, whatever that is at.</summary>
    public Task KillAgentAsync() => KillAsync(AgentProgram);

    /// <summary>The agent does nothing until resumed.</summary>
    public Task PauseAgentAsync()
    {
        Assert.True(IsAgentRunning, "The agent is not running.");
        return SignalAgentAsync(Signal.Stop, isStopped: true);
    }

    /// <summary>The agent goes on where it was.</summary>
    public Task ResumeAgentAsync() => SignalAgentAsync(Signal.Continue, isStopped: false);

    /// <summary>Kills a program's processes, and waits until they are gone.</summary>
    public async Task KillAsync(string program)
    {
        foreach (var id in FindProcesses(commandLine => IsProgram(commandLine, program)))
        {
            AgentProcess.Send(id, Signal.Kill);
        }

        await Poll.UntilAsync(() => CountProcesses(program) == 0, $"the end of {program}");
    }

    /// <summary>How many processes of a program there are in the guest; its name is without .exe.</summary>
    public int CountProcesses(string program) => FindProcesses(commandLine => IsProgram(commandLine, program)).Count;

    /// <summary>Waits until one process of a program runs. (One that starts another looks like two for a moment: Wine forks.)</summary>
    public Task OneRunsAsync(string program) => Poll.UntilAsync(() => CountProcesses(program) == 1, $"one {program}");

    /// <summary>Where a file of the guest, <c>C:\…</c>, is on this machine.</summary>
    public string HostPath(string guestPath)
    {
        Assert.StartsWith(@"C:\", guestPath);
        return Path.Combine(Prefix, "drive_c", guestPath[3..].Replace('\\', '/'));
    }

    /// <summary>Connects a session with the agent.</summary>
    public Task<GuestAgentSession> ConnectAsync(GuestAgentSessionOptions? options = null, CallOptions? call = null) =>
        GuestAgentSession.ConnectAsync(Endpoint, options, call, TestContext.Current.CancellationToken);

    /// <summary>Runs a program of the guest to its end.</summary>
    public static Task<GuestProcessResult> RunAsync(GuestAgentSession session, string program, params string[] arguments) =>
        GuestProcess.RunAsync(
            session, new GuestProcessStart(program) { Arguments = arguments }, cancellationToken: TestContext.Current.CancellationToken);

    /// <summary>Ends everything in it.</summary>
    public async ValueTask DisposeAsync()
    {
        _relay.Dispose();
        await RunScriptAsync("stop", Folder);

        // The last to go write the registry down.
        await Poll.UntilAsync(() => FindProcesses(_ => true).Count == 0, "the end of the guest");
        _pty.Dispose();
        _lab.Dispose();
    }

    // What it starts lives on: nobody waits for the end of what that writes.
    private static async Task RunScriptAsync(params string[] arguments)
    {
        using var script = Process.Start(new ProcessStartInfo(Script, arguments))!;
        await script.WaitForExitAsync(CancellationToken.None);
        Assert.True(script.ExitCode == 0, $"{Script} {string.Join(' ', arguments)} has failed ({script.ExitCode}).");
    }

    private async Task SignalAgentAsync(Signal signal, bool isStopped)
    {
        foreach (var agent in FindProcesses(commandLine => IsProgram(commandLine, AgentProgram)))
        {
            AgentProcess.Send(agent, signal);
            await Poll.UntilAsync(() => AgentProcess.IsStopped(agent) == isStopped, $"the agent's {signal}");
        }
    }

    // Wine's processes are this machine's: a command line as Windows has it, and the environment says which guest's.
    private List<int> FindProcesses(Func<string, bool> isWanted) =>
    [
        .. from folder in Directory.EnumerateDirectories("/proc")
           let id = int.TryParse(Path.GetFileName(folder), out var number) ? number : 0
           where id > 0 && isWanted(ReadEntry(folder, "cmdline"))
           where ReadEntry(folder, "environ").Split('\0').Contains($"WINEPREFIX={Prefix}")
           select id,
    ];

    private static bool IsProgram(string commandLine, string program) =>
        string.Equals(
            Path.GetFileNameWithoutExtension(commandLine.Split('\0')[0].Split('\\')[^1]), program, StringComparison.OrdinalIgnoreCase);

    // Empty where the process has ended meanwhile, or is nobody's to look at.
    private static string ReadEntry(string folder, string entry)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, entry));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
