using System.Globalization;
using System.Text;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Endpoints;

/// <summary>How a host ends that has a program as a channel.</summary>
internal enum HostEnd
{
    /// <summary>By itself, with the channel open.</summary>
    Exit,

    /// <summary>By itself, as soon as it has closed the channel.</summary>
    CloseAndExit,

    /// <summary>By SIGTERM.</summary>
    Terminate,

    /// <summary>By SIGKILL.</summary>
    Kill,
}

/// <summary>A process of its own that has a shell's script as a channel, and ends.</summary>
internal static class ExecHost
{
    public const string Argument = "exec-and-end";

    /// <summary>What the process does: it passes on the line that the script writes, and ends.</summary>
    public static async Task<int> RunAsync(HostEnd end, string script)
    {
        var stream = await new ExecEndpoint("sh", "-c", script).OpenAsync(CancellationToken.None);
        var line = new byte[100];
        var count = await stream.ReadAsync(line, CancellationToken.None);
        Console.Write(Encoding.ASCII.GetString(line, 0, count));
        if (end == HostEnd.CloseAndExit)
        {
            await stream.DisposeAsync();
        }

        return end is HostEnd.Exit or HostEnd.CloseAndExit ? 0 : await new TaskCompletionSource<int>().Task;
    }

    /// <summary>Runs it to its end.</summary>
    /// <returns>The ids of processes, which the script has written in one line.</returns>
    public static async Task<int[]> RunToEndAsync(HostEnd end, string script)
    {
        using var process = TestHost.Start(Argument, $"{end}", script);
        try
        {
            var line = await process.StandardOutput.ReadLineAsync(CancellationToken.None).AsTask().OrHang();
            Assert.NotNull(line);
            if (end is HostEnd.Terminate or HostEnd.Kill)
            {
                AgentProcess.Send(process.Id, end == HostEnd.Kill ? Signal.Kill : Signal.Terminate);
            }

            await process.WaitForExitAsync(CancellationToken.None).OrHang();
            return [.. line.Split(' ').Select(id => int.Parse(id, CultureInfo.InvariantCulture))];
        }
        finally
        {
            process.Kill();
        }
    }

    /// <summary>Whether a process runs; one that nobody has waited for has ended too.</summary>
    public static bool IsRunning(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/stat") is var stat && stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (Exception e) when (e is IOException)
        {
            return false;
        }
    }
}
