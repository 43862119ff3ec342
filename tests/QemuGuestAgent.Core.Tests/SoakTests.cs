using System.Diagnostics;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests;

/// <summary>The soak, small: in a process of its own, whose memory and handles are nobody else's.</summary>
public sealed class SoakTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1)]
    [InlineData(null)]
    public async Task Nothing_is_wrong_lost_or_grown(int? seed)
    {
        // In the configuration that the tests were built in.
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var program = Path.Combine(Repository.Root, "tests", "QemuGuestAgent.Soak", "bin", configuration, "net8.0",
            OperatingSystem.IsWindows() ? "QemuGuestAgent.Soak.exe" : "QemuGuestAgent.Soak");
        var arguments = $"--round-trips 20000 --connects 1000 --faults 400 --seed {seed ?? Random.Shared.Next(1_000_000_000)}";
        using var soak = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        try
        {
            var text = await soak.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken).OrHang();
            output.WriteLine(text);
            await soak.WaitForExitAsync(TestContext.Current.CancellationToken).OrHang();
            Assert.True(soak.ExitCode == 0, text);
        }
        finally
        {
            soak.Kill();
        }
    }
}
