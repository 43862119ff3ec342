using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Benchmarks;

/// <summary>What else people ask a guest agent with.</summary>
internal static class Peers
{
    private const int Rounds = 9;

    // Says how many microseconds a ping took.
    private const string Python = """
        import json, socket, sys, time
        s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); f = s.makefile('rwb'); n = int(sys.argv[2])
        start = time.perf_counter()
        for _ in range(n):
            f.write(json.dumps({'execute': 'guest-ping'}).encode() + b'\n'); f.flush(); json.loads(f.readline())
        print((time.perf_counter() - start) / n * 1e6)
        """;

    private const string Socat = """printf '{"execute":"guest-ping"}\n' | socat -t5 - "UNIX-CONNECT:$0" >/dev/null""";

    public static async Task RunAsync()
    {
        await CompareAsync(
            "guest-ping in Core, beside a client in Python that does the same in a loop", 500,
            (path, times) => double.Parse(Run("python3", "-c", Python, path, $"{times}"), CultureInfo.InvariantCulture));
        await CompareAsync(
            "guest-ping in Core, beside socat started for each", 10,
            (path, times) =>
            {
                var start = Stopwatch.GetTimestamp();
                for (var i = 0; i < times; i++)
                {
                    Run("/bin/sh", "-c", Socat, path);
                }

                return Stopwatch.GetElapsedTime(start).TotalMicroseconds / times;
            });
    }

    private static async Task CompareAsync(string figure, int times, Func<string, int, double> peer)
    {
        using var theirAgent = new RealAgent();
        using var ourAgent = new RealAgent();
        using var session = await GuestAgentSession.ConnectAsync(ourAgent.Endpoint);
        var (theirs, own) = (new List<double>(), new List<double>());
        try
        {
            for (var round = 0; round < Rounds; round++)
            {
                theirs.Add(peer(theirAgent.SocketPath, times));
                own.Add(await Comparison.TimeAsync(count => RoundTrips.PingAsync(session, count), times));
            }
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException)
        {
            Table.Row(figure, $"not measured: {e.Message}", "-", "-", "< 1");
            return;
        }

        Comparison.Report(figure, "< 1", theirs, own);
    }

    private static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} ended with {process.ExitCode}");
    }
}
