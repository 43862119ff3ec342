using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>
/// A program and its child processes. It stays in the terminal's foreground, where ssh asks for passwords, so it has no process group:
/// on Linux an environment variable, which its children inherit, identifies what is left when it has ended.
/// </summary>
internal sealed class LocalProcessTree
{
    private const string Variable = "QEMU_GUEST_AGENT_PROGRAM";
    private const int KillSignal = 9;

    private readonly string _mark = $"{Guid.NewGuid():N}";

    /// <summary>Marks a program that is about to be started.</summary>
    public LocalProcessTree(ProcessStartInfo start) => start.Environment[Variable] = _mark;

    /// <summary>Kills a program with its children.</summary>
    public static void Kill(Process program)
    {
        try
        {
#if NET
            program.Kill(entireProcessTree: true);
#else
            using var kill = Process.Start(new ProcessStartInfo(
                Path.Combine(Environment.SystemDirectory, "taskkill.exe"), $"/T /F /PID {program.Id}") { UseShellExecute = false, CreateNoWindow = true });
            kill!.WaitForExit();
#endif
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException or AggregateException)
        {
            // It has just ended, or runs as another user, as what sudo starts: its input has ended, and no more can be done.
        }
    }

    /// <summary>Kills what a program that has ended left behind; daemons, which have their own session, are kept.</summary>
    public void KillLeft()
    {
        if (!Directory.Exists("/proc/self"))
        {
            return;
        }

        // Killed processes may have started more meanwhile.
        var killed = new HashSet<int>();
        while (Left().Where(killed.Add).ToList() is { Count: > 0 } left)
        {
            left.ForEach(id => _ = kill(id, KillSignal));
        }
    }

    private IEnumerable<int> Left()
    {
        var session = SessionOf("self");
        return Directory.EnumerateDirectories("/proc").Select(folder => int.TryParse(Path.GetFileName(folder), out var id) ? id : 0)
            .Where(id => id > 0 && IsMarked(id) && SessionOf($"{id}") == session);
    }

    private bool IsMarked(int id) => Read($"/proc/{id}/environ").Split('\0').Contains($"{Variable}={_mark}");

    // /proc/<pid>/stat: the name in parentheses is followed by the state, the parent, the group and the session.
    private static string? SessionOf(string process)
    {
        var stat = Read($"/proc/{process}/stat");
        return stat[(stat.LastIndexOf(')') + 1)..].Split(' ').ElementAtOrDefault(4);
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Gone meanwhile, or another user's.
            return "";
        }
    }

    [DllImport("libc")]
    private static extern int kill(int process, int signal);
}
