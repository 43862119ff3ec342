using System.Diagnostics;
using System.Text.Json;

namespace QemuGuestAgent.Module.Tests;

/// <summary>The PowerShell that runs the Pester suite: this machine's, or else the tool of the manifest .config/dotnet-tools.json.</summary>
internal static class TestPowerShell
{
    private static readonly TimeSpan RestoreTime = TimeSpan.FromMinutes(5);

    /// <summary>Finds it. Where there is none, <paramref name="missing"/> says why.</summary>
    public static string? Find(out string missing)
    {
        missing = "";
        return OnPath() ?? OfManifest(out missing);
    }

    private static string Name => OperatingSystem.IsWindows() ? "pwsh.exe" : "pwsh";

    private static string? OnPath() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, Name)).FirstOrDefault(File.Exists);

    private static string? OfManifest(out string missing)
    {
        var start = new ProcessStartInfo(Dotnet, ["tool", "restore"])
        {
            WorkingDirectory = Layout.RepositoryRoot,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var restore = Process.Start(start)!;
        var texts = Task.WhenAll(restore.StandardOutput.ReadToEndAsync(), restore.StandardError.ReadToEndAsync());
        if (!restore.WaitForExit(RestoreTime))
        {
            restore.Kill(entireProcessTree: true);
        }

        var text = string.Concat(texts.Result).Trim();
        restore.WaitForExit();
        missing = $"there is no pwsh on PATH, and 'dotnet tool restore' brings none: {text}";
        return restore.ExitCode == 0 ? Launcher(Engine()) : null;
    }

    private static string Dotnet => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host ? host : "dotnet";

    private static string Engine()
    {
        using var manifest = JsonDocument.Parse(File.ReadAllText(Path.Combine(Layout.RepositoryRoot, ".config", "dotnet-tools.json")));
        var version = manifest.RootElement.GetProperty("tools").GetProperty("powershell").GetProperty("version").GetString()!;
        var system = OperatingSystem.IsWindows() ? "win" : "unix";
        return Directory.GetFiles(Path.Combine(Layout.Packages, "powershell", version, "tools"), "pwsh.dll", SearchOption.AllDirectories)
            .Single(path => Path.GetFileName(Path.GetDirectoryName(path)) == system);
    }

    // What tests start by its name, and signal: the tool's own launcher would take the signal, and the engine go on.
    private static string Launcher(string engine)
    {
        var folder = Path.Combine(Layout.RepositoryRoot, "out", "pwsh");
        var launcher = Path.Combine(folder, OperatingSystem.IsWindows() ? "pwsh.cmd" : "pwsh");
        Directory.CreateDirectory(folder);
        if (OperatingSystem.IsWindows())
        {
            File.WriteAllText(launcher, $"@\"{Dotnet}\" \"{engine}\" %*\r\n");
        }
        else
        {
            File.WriteAllText(launcher, $"#!/bin/sh\nexec '{Dotnet}' '{engine}' \"$@\"\n");
            File.SetUnixFileMode(launcher, (UnixFileMode)0b111_101_101);
        }

        return launcher;
    }
}
