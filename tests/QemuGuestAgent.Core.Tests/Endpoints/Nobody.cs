using System.Diagnostics;
using System.Runtime.InteropServices;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Endpoints;

/// <summary>A user with no rights to other users' files. Root may open any: this gives that up, for the time of an action.</summary>
internal static class Nobody
{
    private const uint User = 65534;

    /// <summary>Sets the rights of a file; skips the test where it has none of that kind.</summary>
    public static void SetMode(string path, UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Files have other rights on Windows.");
            return;
        }

        File.SetUnixFileMode(path, mode);
    }

    /// <summary>What the action throws, done as nobody; skips the test where that cannot be had.</summary>
    public static Exception? Record(Action action)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The rights of one thread can be given up on Linux only.");
        Exception? error = null;

        // The kernel has this identity per thread, and so has glibc.
        var thread = new Thread(() =>
        {
            var own = SetFileSystemUser(User);
            error = Xunit.Record.Exception(action);
            _ = SetFileSystemUser((uint)own);
        });
        thread.Start();
        thread.Join();
        return error;
    }

    /// <summary>Starts a shell's script as nobody; skips the test where that takes another user than the tests'.</summary>
    public static Process Start(string script, params string[] arguments)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Only root can act as another user.");
        var start = new ProcessStartInfo(InstalledProgram.OrSkip("setpriv"))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            WorkingDirectory = "/",
        };
        foreach (var argument in (string[])[$"--reuid={User}", $"--regid={User}", "--clear-groups", "bash", "-c", script, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    /// <summary>Runs a shell's script as nobody to its end.</summary>
    public static async Task RunAsync(string script, params string[] arguments)
    {
        using var process = Start(script, arguments);
        await process.WaitForExitAsync(CancellationToken.None).OrHang();
    }

    [DllImport("libc", EntryPoint = "setfsuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int SetFileSystemUser(uint user);
}
