using System.Diagnostics;

namespace QemuGuestAgent.Core.Tests.RealAgent;

/// <summary>
/// A private folder of an agent under test. All are in one folder of this test run; once the run is over, however it ends,
/// a shell that waits for that kills what was started in it and removes it.
/// </summary>
internal sealed class LabFolder : IDisposable
{
    private const string Reap = """
        trap '' INT TERM HUP
        exec >/dev/null 2>&1
        read -r folder || exit
        while read -r _; do :; done
        for process in /proc/[0-9]*; do
            grep -qsF "$folder/" "$process/cmdline" "$process/environ" && kill -9 "${process#/proc/}"
        done
        rm -rf "$folder"
        """;

    private static readonly Lazy<string> Root = new(CreateRoot);
    // Kept, for the end of its input is what the shell waits for.
    private static Process? _reaper;
    private static int _count;

    public LabFolder()
    {
        FullPath = Path.Combine(Root.Value, $"{Interlocked.Increment(ref _count)}");
        Directory.CreateDirectory(FullPath);
    }

    public string FullPath { get; }

    public string Combine(string name) => Path.Combine(FullPath, name);

    public void Dispose() => Directory.Delete(FullPath, recursive: true);

    private static string CreateRoot()
    {
        var root = Directory.CreateTempSubdirectory("qga-").FullName;
        var reaper = new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", Reap }, RedirectStandardInput = true };
        _reaper = Process.Start(reaper)!;
        _reaper.StandardInput.WriteLine(root);
        _reaper.StandardInput.Flush();
        return root;
    }
}
