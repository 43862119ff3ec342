using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace QemuGuestAgent.Module.Tests;

/// <summary>The Pester suite, in a real PowerShell: each of its tests counts as one here.</summary>
public sealed class PesterTests
{
    // It takes three on an idle machine with two processors.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(30);

    // They tell which test did not end.
    private const int LinesOfHang = 20;

    public sealed record PesterResult(string Name, string Result, string Message);

    [Theory]
    [MemberData(nameof(Results), DisableDiscoveryEnumeration = true)]
    public void Pester(string name, string result, string message) => Assert.True(result == "Passed", $"{name}: {result}{Environment.NewLine}{message}");

    public static TheoryData<string, string, string> Results()
    {
        var data = new TheoryData<string, string, string>();
        if (FindPowerShell() is not { } pwsh)
        {
            data.Add(Skipped("all of the Pester suite", "there is no pwsh on PATH: install PowerShell 7.4 or later, for example by 'dotnet tool install --global PowerShell'"));
            return data;
        }

        foreach (var test in RunSuite(pwsh))
        {
            var row = new TheoryDataRow<string, string, string>(test.Name, test.Result, test.Message) { TestDisplayName = $"Pester: {test.Name}" };
            data.Add(test.Result is "Skipped" or "NotRun" ? Skipped(test.Name, test.Message.Length > 0 ? test.Message : test.Result) : row);
        }

        return data;
    }

    private static TheoryDataRow<string, string, string> Skipped(string name, string reason) =>
        new(name, "Skipped", reason) { TestDisplayName = $"Pester: {name}", Skip = reason };

    private static List<PesterResult> RunSuite(string pwsh)
    {
        var results = Path.GetTempFileName();
        try
        {
            var suite = Path.Combine(Layout.RepositoryRoot, "tests", "Pester", "Invoke-Suite.ps1");
            var run = Run(pwsh, "-File", suite, "-ResultPath", results, "-Pester", Layout.Pester);
            return run.ExitCode == 0
                ? [.. File.ReadLines(results).Select(line => JsonSerializer.Deserialize<PesterResult>(line)!)]
                : [new PesterResult("the suite itself", $"exit code {run.ExitCode}", run.Output)];
        }
        finally
        {
            File.Delete(results);
        }
    }

    private static (int ExitCode, string Output) Run(string pwsh, params string[] arguments)
    {
        var start = new ProcessStartInfo(pwsh, ["-NoProfile", "-NonInteractive", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment["POWERSHELL_TELEMETRY_OPTOUT"] = "1";
        start.Environment["NO_COLOR"] = "1";
        start.Environment["QEMU_GUEST_AGENT_MODULE"] = Layout.Module;
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

    private static string? FindPowerShell() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? "pwsh.exe" : "pwsh"))
            .FirstOrDefault(File.Exists);
}
