using System.Diagnostics;
using System.Runtime.Versioning;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

/// <summary>Another user of the guest, or of this computer, who does what he can between two steps of a copy.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class Attacker : IDisposable
{
    private const string User = "65534";

    private readonly string _setpriv = InstalledProgram.OrSkip("setpriv");
    private readonly string _home = Directory.CreateTempSubdirectory("attack-").FullName;

    public Attacker()
    {
        Assert.SkipUnless(Environment.UserName == "root", "Only root can have another user attack.");
        File.SetUnixFileMode(_home, (UnixFileMode)Convert.ToInt32("755", 8));
        Folder = Make("folder");
        Outside = Make("outside");
        Assert.Equal(0, CopyTests.Run("chown", User, Folder));
    }

    /// <summary>A folder that is his.</summary>
    public string Folder { get; }

    /// <summary>A folder beside it, of root alone.</summary>
    public string Outside { get; }

    public void Dispose() => Directory.Delete(_home, recursive: true);

    /// <summary>Runs a script as him, in his folder; returns what it printed.</summary>
    public string Run(string script, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(
            _setpriv, [$"--reuid={User}", $"--regid={User}", "--clear-groups", "/bin/sh", "-c", script, "sh", .. arguments])
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"The attacker's script failed: {errors.Result}");
        return output;
    }

    /// <summary>Does something again and again, each time with an attack behind another one of the agent's replies; how many there were.</summary>
    public static async Task<int> AfterEveryReplyAsync(Func<CallOptions, Task> operation, Action attack, Func<Task> check)
    {
        for (var replies = 1; ; replies++)
        {
            var left = replies;
            await operation(new CallOptions
            {
                Timeout = TimeSpan.Zero,
                Trace = happened =>
                {
                    if (happened.Kind == TraceKind.Received && --left == 0)
                    {
                        attack();
                    }
                },
            }).OrHang();
            if (left > 0)
            {
                return replies - 1;
            }

            await check();
        }
    }

    // Root's, with the mode that is left to it by no umask.
    private string Make(string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_home, name)).FullName;
        File.SetUnixFileMode(folder, (UnixFileMode)Convert.ToInt32("755", 8));
        return folder;
    }
}
