using System.Diagnostics;

namespace QemuGuestAgent.Benchmarks;

/// <summary>What is measured in a real PowerShell, by the scripts of this folder: their rows are rows of the table.</summary>
internal static class PowerShellFigures
{
    private const int Interfaces = 10_000;
    private const int RealGuests = 100;

    public static async Task RunAsync(string repository)
    {
        using var agent = new RealAgent();
        using var relayed = new RealAgent(isRelayed: true);
        using var plainRelayed = new RealAgent(isRelayed: true);
        var canned = Path.Combine(agent.Folder, "canned.sock");
        using var server = new CannedAgent(canned, new()
        {
            ["guest-info"] = """{"version": "10.0.0", "supported_commands": [{"name": "guest-network-get-interfaces", "enabled": true, "success-response": true}]}""",
            ["guest-network-get-interfaces"] = InterfacesJson(),
        });
        var guests = Enumerable.Range(0, RealGuests).Select(_ => new RealAgent()).ToList();
        try
        {
            await File.WriteAllLinesAsync(Path.Combine(agent.Folder, "guests"), guests.Select(guest => guest.SocketPath));
            await File.WriteAllTextAsync(Path.Combine(agent.Folder, "interfaces.json"), InterfacesJson());
            await RunScriptAsync(
                repository, "Figures.ps1", agent, "-Canned", canned, "-Relayed", relayed.SocketPath, "-PlainRelayed", plainRelayed.SocketPath,
                "-EmptyModule", Path.Combine(repository, "benchmarks", "EmptyModule", "bin", "Release", "net8.0", "EmptyModule.psd1"));
        }
        finally
        {
            guests.ForEach(guest => guest.Dispose());
        }
    }

    /// <summary>Measures the remoting into a guest, which is this machine.</summary>
    public static async Task RunRemotingAsync(string repository)
    {
        using var agent = new RealAgent();
        await RunScriptAsync(repository, "SessionFigures.ps1", agent);
    }

    /// <summary>Measures the remoting into a Windows guest, beside a Linux guest.</summary>
    public static Task RunWindowsAsync(string repository, RealAgent agent, string windowsSocket) =>
        RunScriptAsync(repository, "WindowsFigures.ps1", agent, "-Windows", windowsSocket);

    private static async Task RunScriptAsync(string repository, string script, RealAgent agent, params string[] more)
    {
        var start = new ProcessStartInfo("pwsh",
        [
            "-NoProfile", "-NonInteractive", "-File", Path.Combine(repository, "benchmarks", script),
            "-Module", Path.Combine(repository, "out", "QemuGuestAgent"), "-Agent", agent.SocketPath, "-Folder", agent.Folder, .. more,
        ])
        {
            RedirectStandardOutput = true,
        };
        start.Environment["POWERSHELL_TELEMETRY_OPTOUT"] = "1";
        using var pwsh = Process.Start(start)!;
        while (await pwsh.StandardOutput.ReadLineAsync() is { } line)
        {
            Console.WriteLine(line);
        }

        await pwsh.WaitForExitAsync();
        if (pwsh.ExitCode != 0)
        {
            throw new InvalidOperationException($"{script} ended with {pwsh.ExitCode}.");
        }
    }

    private static string InterfacesJson() => $"[{string.Join(", ", Enumerable.Range(0, Interfaces).Select(InterfaceJson))}]";

    private static string InterfaceJson(int i) =>
        $$$"""{"name": "eth{{{i}}}", "hardware-address": "52:54:00:12:{{{i / 256 % 256:x2}}}:{{{i % 256:x2}}}", "ip-addresses": [{"ip-address-type": "ipv4", "ip-address": "10.{{{i / 65536}}}.{{{i / 256 % 256}}}.{{{i % 256}}}", "prefix": 24}], "statistics": {"tx-packets": {{{i}}}, "tx-errs": 0, "rx-bytes": {{{1234567L * i}}}, "rx-dropped": 0, "rx-packets": {{{2 * i}}}, "rx-errs": 0, "tx-bytes": {{{7654321L * i}}}, "tx-dropped": 0}}""";
}
