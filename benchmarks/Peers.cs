using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Benchmarks;

/// <summary>What else people ask a guest agent with.</summary>
internal static class Peers
{
    private const int Rounds = 9;

    // The name of a running domain with an agent, of the libvirt that LIBVIRT_DEFAULT_URI leads to.
    private const string DomainVariable = "LIBVIRT_DOMAIN";

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
            (path, times) => TimeEach(times, "/bin/sh", "-c", Socat, path));
        await CompareWithVirshAsync("guest-ping in Core through libvirt, beside virsh qemu-agent-command started for each");
    }

    private static async Task CompareAsync(string figure, int times, Func<string, int, double> peer)
    {
        using var theirAgent = new RealAgent();
        using var ourAgent = new RealAgent();
        await CompareAsync(figure, times, count => peer(theirAgent.SocketPath, count), ourAgent.Endpoint);
    }

    private static async Task CompareWithVirshAsync(string figure)
    {
        if (Environment.GetEnvironmentVariable(DomainVariable) is { Length: > 0 } domain)
        {
            await CompareAsync(
                figure, 10, times => TimeEach(times, "virsh", "qemu-agent-command", domain, """{"execute":"guest-ping"}"""),
                new LibvirtEndpoint(domain));
        }
        else
        {
            Table.Row(figure, $"not measured: {DomainVariable} names no domain", "-", "-", "< 1");
        }
    }

    private static async Task CompareAsync(string figure, int times, Func<int, double> peer, GuestAgentEndpoint endpoint)
    {
        using var session = await GuestAgentSession.ConnectAsync(endpoint);
        await Comparison.WarmUpAsync(() => RoundTrips.PingAsync(session, times));
        var (theirs, own) = (new List<double>(), new List<double>());
        try
        {
            for (var round = 0; round < Rounds; round++)
            {
                theirs.Add(peer(times));
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

    // A process for each time, in microseconds.
    private static double TimeEach(int times, string program, params string[] arguments)
    {
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < times; i++)
        {
            Run(program, arguments);
        }

        return Stopwatch.GetElapsedTime(start).TotalMicroseconds / times;
    }

    private static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} ended with {process.ExitCode}");
    }
}
