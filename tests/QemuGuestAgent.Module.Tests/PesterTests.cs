using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace QemuGuestAgent.Module.Tests;

/// <summary>The Pester suite, in a real PowerShell: each of its tests counts as one here.</summary>
public sealed class PesterTests
{
    // Each takes three on an idle machine with two processors.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(30);

    // They tell which test did not end.
    private const int LinesOfHang = 20;

    public sealed record PesterResult(string Name, string Result, string Message);

    private static readonly string Tests = Path.Combine(Layout.RepositoryRoot, "tests");

    [Theory]
    [MemberData(nameof(Results), DisableDiscoveryEnumeration = true)]
    public void Pester(string name, string result, string message) => Check(name, result, message);

    [Theory]
    [MemberData(nameof(WindowsResults), DisableDiscoveryEnumeration = true)]
    public void Pester_in_PowerShell_for_Windows(string name, string result, string message) => Check(name, result, message);

    public static TheoryData<string, string, string> Results() =>
        TestPowerShell.Find(out var missing) is { } pwsh ? Rows("Pester", RunSuite([pwsh], path => path)) : Rows("Pester", missing);

    public static TheoryData<string, string, string> WindowsResults() =>
        Environment.GetEnvironmentVariable("QEMU_GA_WINDOWS") is { Length: > 0 } guest
            ? Rows("Pester on Windows", RunSuite([Path.Combine(Tests, "tools", "windows-guest.sh"), "pwsh", guest], path => "Z:" + path.Replace('/', '\\')))
            : Rows("Pester on Windows", "QEMU_GA_WINDOWS names no guest: tests/tools/windows-guest.sh makes one");

    private static void Check(string name, string result, string message) =>
        Assert.True(result == "Passed", $"{name}: {result}{Environment.NewLine}{message}");

    private static TheoryData<string, string, string> Rows(string title, string missing) =>
        Rows(title, [new PesterResult("all of the suite", "Skipped", missing)]);

    private static TheoryData<string, string, string> Rows(string title, IEnumerable<PesterResult> results) =>
    [
        .. results.Select(test => new TheoryDataRow<string, string, string>(test.Name, test.Result, test.Message)
        {
            TestDisplayName = $"{title}: {test.Name}",
            Skip = test.Result is "Skipped" or "NotRun" ? test.Message.Length > 0 ? test.Message : test.Result : null,
        }),
    ];

    // A path may be another one where that PowerShell runs.
    private static List<PesterResult> RunSuite(string[] pwsh, Func<string, string> there)
    {
        var results = Path.GetTempFileName();
        try
        {
            var run = Run(
                there(Layout.Module),
                [.. pwsh, "-NoProfile", "-NonInteractive", "-File", there(Path.Combine(Tests, "Pester", "Invoke-Suite.ps1")),
                    "-ResultPath", there(results), "-Pester", there(Layout.Pester)]);
            return run.ExitCode == 0
                ? [.. File.ReadLines(results).Select(line => JsonSerializer.Deserialize<PesterResult>(line)!)]
                : [new PesterResult("the suite itself", $"exit code {run.ExitCode}", run.Output)];
        }
        finally
        {
            File.Delete(results);
        }
    }

    private static (int ExitCode, string Output) Run(string module, string[] command)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment["POWERSHELL_TELEMETRY_OPTOUT"] = "1";
        start.Environment["NO_COLOR"] = "1";
        start.Environment["QEMU_GUEST_AGENT_MODULE"] = module;

        // Guests of this machine look for pwsh too.
        start.Environment["PATH"] = $"{Path.GetDirectoryName(command[0])}{Path.PathSeparator}{start.Environment["PATH"]}";
        var lines = new ConcurrentQueue<string?>();
        using var process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => lines.Enqueue(line.Data);
        process.ErrorDataReceived += (_, line) => lines.Enqueue(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
        if (!process.WaitForExit(Limit))
        {
            process.Kill(entireProcessTree: true);
            lines.Enqueue($"PowerShell did not end within {Limit}.");
            return (-1, string.Join(Environment.NewLine, lines.TakeLast(LinesOfHang)));
        }

        process.WaitForExit();
        return (process.ExitCode, string.Join(Environment.NewLine, lines));
    }
}
