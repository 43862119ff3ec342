using System.Diagnostics;

namespace QemuGuestAgent.Core.Tests.RealAgent;

/// <summary>A qemu-ga on this machine.</summary>
internal sealed record RealAgentBinary(string FilePath, string Version)
{
    private const string Program = "qemu-ga";
    private const string Variable = "QEMU_GA_NEW";

    // The package installs it where a plain user's PATH does not look.
    private static readonly string[] FurtherFolders = ["/usr/sbin", "/sbin"];

    private static readonly Lazy<RealAgentBinary?> InstalledBinary = new(FindInstalled);
    private static readonly Lazy<RealAgentBinary?> FurtherBinary = new(FindFurther);

    /// <summary>A folder of programs that it finds before all others; null for none.</summary>
    public string? Tools { get; init; }

    /// <summary>The option that says what it may do; null blocks what would change this machine.</summary>
    public string? Policy { get; init; }

    /// <summary>The agent that the system's package brings; skips the test where there is none.</summary>
    public static RealAgentBinary Installed() =>
        OrSkip(InstalledBinary, $"{Program} is not installed: apt-get install qemu-guest-agent");

    /// <summary>Another version of it, which the environment names; skips the test where it names none.</summary>
    public static RealAgentBinary Further() =>
        OrSkip(FurtherBinary, $"no further {Program} is named: {Variable}=/path/to/qemu-ga");

    public override string ToString() => $"{FilePath} ({Version})";

    private static RealAgentBinary OrSkip(Lazy<RealAgentBinary?> binary, string reason)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The real agent is run on Linux only.");
        Assert.SkipWhen(binary.Value is null, reason);
        return binary.Value;
    }

    private static RealAgentBinary? FindInstalled()
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(FurtherFolders);
        var file = folders.Select(folder => Path.Combine(folder, Program)).FirstOrDefault(File.Exists);
        return file is null ? null : new RealAgentBinary(file, ReadVersion(file));
    }

    // A path that leads nowhere fails the tests: whoever set it wants them to run.
    private static RealAgentBinary? FindFurther() =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } file
            ? new RealAgentBinary(file, ReadVersion(file))
            : null;

    private static string ReadVersion(string file)
    {
        using var process = Process.Start(new ProcessStartInfo(file, "--version") { RedirectStandardOutput = true })!;
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return text.Trim().Split(' ')[^1];
    }
}
