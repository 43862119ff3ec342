using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using QemuGuestAgent.Core.Tests.Contract;

namespace QemuGuestAgent.Core.Tests.RealAgent;

/// <summary>A signal, by its number on Linux.</summary>
internal enum Signal
{
    Kill = 9,
    Terminate = 15,
    Continue = 18,
    Stop = 19,
}

/// <summary>The process of a real agent, which can be started any number of times.</summary>
internal sealed class AgentProcess(RealAgentBinary binary, LabFolder folder, string method, string path) : IDisposable
{
    // It acts on the machine that the tests run on. The last is blocked for the tests' sake.
    public const string BlockingPolicy =
        "--block-rpcs=guest-shutdown,guest-suspend-disk,guest-suspend-ram,guest-suspend-hybrid,guest-set-time,guest-set-user-password,"
        + "guest-fsfreeze-freeze,guest-fsfreeze-freeze-list,guest-fsfreeze-thaw,guest-fstrim,guest-set-vcpus,"
        + "guest-set-memory-blocks,guest-ssh-add-authorized-keys,guest-ssh-remove-authorized-keys,"
        + AgentPeer.BlockedCommand;

    private Process? _process;

    public bool HasExited => _process is null || _process.HasExited;

    /// <summary>What the agent has logged and printed.</summary>
    public string Log => File.Exists(LogPath) ? File.ReadAllText(LogPath) : "";

    private string LogPath => folder.Combine("log");

    public void Start()
    {
        Assert.True(HasExited, "The agent is running already.");
        var state = Directory.CreateDirectory(folder.Combine("state")).FullName;
        _process?.Dispose();

        // The shell keeps the agent's output out of the test runner's, and becomes the agent. What that makes is everybody's.
        var start = new ProcessStartInfo("/bin/sh")
        {
            ArgumentList =
            {
                "-c", """umask 0; exec "$0" "$@" </dev/null >>"$QGA_LOG" 2>&1""",
                binary.FilePath, "-m", method, "-p", path, "-t", state, binary.Policy ?? BlockingPolicy,
            },
            Environment =
            {
                ["QGA_LOG"] = LogPath,
                ["PATH"] = $"{binary.Tools}:{Environment.GetEnvironmentVariable("PATH")}".TrimStart(':'),
            },
        };

        // systemd gives it none.
        start.Environment.Remove("HOME");
        _process = Process.Start(start);
    }

    /// <summary>Sends a signal to any process.</summary>
    public static void Send(int id, Signal signal)
    {
        if (kill(id, (int)signal) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>Whether a process is stopped by a signal.</summary>
    // /proc/<pid>/stat: the state stands behind the name, which is in parentheses.
    public static bool IsStopped(int id) => File.ReadAllText($"/proc/{id}/stat") is var stat && stat[stat.LastIndexOf(')') + 2] == 'T';

    /// <summary>Sends a signal and waits until it has had its effect.</summary>
    public async Task SignalAsync(Signal signal)
    {
        Send(_process!.Id, signal);
        if (signal == Signal.Kill)
        {
            await _process!.WaitForExitAsync();
        }
        else
        {
            await Poll.UntilAsync(() => IsStopped(_process!.Id) == (signal == Signal.Stop), $"the agent's {signal}");
        }
    }

    public void Dispose()
    {
        if (!HasExited)
        {
            _process!.Kill();
            _process.WaitForExit();
        }

        _process?.Dispose();
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int kill(int pid, int signal);
}
