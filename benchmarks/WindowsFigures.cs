using System.Diagnostics;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Benchmarks;

/// <summary>A Windows guest in Wine, beside a Linux guest, which is this machine; and copies beside what its agent alone does.</summary>
internal static class WindowsFigures
{
    private const int Bytes = 8 << 20;
    private const int Piece = 1 << 20;
    private const int Rounds = 5;
    private const int Times = 10;

    public static async Task RunAsync(string repository)
    {
        if (Environment.GetEnvironmentVariable("QEMU_GA_WINDOWS") is not { Length: > 0 } built)
        {
            Table.Row("a Windows guest", "not measured: QEMU_GA_WINDOWS names none", "-", "-", "-");
            return;
        }

        var script = Path.Combine(repository, "tests", "tools", "windows-guest.sh");
        var folder = Path.Combine(Directory.CreateTempSubdirectory("qga-bench-").FullName, "guest");
        await RunAsync(script, "copy", built, folder);
        try
        {
            var socket = (await RunAsync(script, "start", folder)).Trim();
            using var agent = new RealAgent();
            using (var linux = await GuestAgentSession.ConnectAsync(agent.Endpoint))
            using (var windows = await GuestAgentSession.ConnectAsync(new UnixEndpoint(socket)))
            {
                await RunAsync(linux, windows, Path.GetDirectoryName(folder)!);
            }

            await PowerShellFigures.RunWindowsAsync(repository, agent, socket);
        }
        finally
        {
            await RunAsync(script, "stop", folder);
            Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);
        }
    }

    private static async Task RunAsync(GuestAgentSession linux, GuestAgentSession windows, string folder)
    {
        await Comparison.RunAsync(
            "a program with live output, in a Windows guest beside a Linux guest", "-", Times,
            times => StreamAsync(linux, "/bin/sh", ["-c", "echo x"], times), times => StreamAsync(windows, "cmd.exe", ["/d", "/c", "echo x"], times), Rounds);
        var content = new byte[Bytes];
        new Random(1).NextBytes(content);
        var file = Path.Combine(folder, "file");
        await File.WriteAllBytesAsync(file, content);
        await Comparison.RunAsync(
            "8 MiB to a Windows guest, beside its agent's own writing", "<= 2", 1,
            _ => FileFigures.WriteAsync(windows, @"C:\bare", content, Piece),
            _ => GuestItems.SendAsync(windows, [file], @"C:\ours", new ItemCopyOptions { Force = true }), Rounds);
        await Comparison.RunAsync(
            "8 MiB from a Windows guest, beside its agent's own reading", "<= 2", 1,
            _ => FileFigures.ReadAsync(windows, @"C:\bare", Piece),
            _ => GuestItems.ReceiveAsync(windows, [@"C:\ours"], true, file, new ItemCopyOptions { Force = true }), Rounds);
    }

    private static async Task StreamAsync(GuestAgentSession session, string program, string[] arguments, int times)
    {
        for (var i = 0; i < times; i++)
        {
            await StreamedProcess.RunAsync(session, new GuestProcessStart(program) { Arguments = arguments }, _ => Task.CompletedTask);
        }
    }

    private static async Task<string> RunAsync(string script, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(script, arguments) { RedirectStandardOutput = true })!;
        var line = await process.StandardOutput.ReadLineAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? line ?? "" : throw new InvalidOperationException($"{script} {arguments[0]} ended with {process.ExitCode}.");
    }
}
