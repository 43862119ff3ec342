using System.Runtime.InteropServices;

namespace QemuGuestAgent.Benchmarks;

/// <summary>What figures depend on.</summary>
internal static class Machine
{
    /// <summary>Writes what this machine is, and what else it does.</summary>
    public static void Describe()
    {
        var model = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(": ")[1];
        var mitigations = Directory.EnumerateFiles("/sys/devices/system/cpu/vulnerabilities").Order()
            .Select(file => (Name: Path.GetFileName(file), Text: File.ReadAllText(file).Trim()))
            .Where(vulnerability => vulnerability.Text.StartsWith("Mitigation", StringComparison.Ordinal)).Select(vulnerability => vulnerability.Name);
        Console.WriteLine($"{model}, {Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}, {RealAgent.Program}");
        Console.WriteLine($"Mitigations: {string.Join(", ", mitigations)}");
        DescribeLoad("before");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => DescribeLoad("after");
    }

    private static void DescribeLoad(string when) => Console.WriteLine($"Load {when}: {File.ReadAllText("/proc/loadavg").Trim()} ({DateTime.UtcNow:u})");
}
