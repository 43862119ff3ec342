namespace QemuGuestAgent.Core.Tests.RealAgent;

/// <summary>A program that a test needs and that the system may not have.</summary>
internal static class InstalledProgram
{
    /// <summary>The program's path; skips the test where there is none.</summary>
    public static string OrSkip(string program, string? package = null)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        var path = folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
        Assert.SkipWhen(path is null, $"{program} is not installed: apt-get install {package ?? program}");
        return path;
    }
}
