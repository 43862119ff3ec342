using System.Diagnostics;
using System.Globalization;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Benchmarks;

/// <summary>Guests of a host that ssh reaches, beside a program of ssh and socat for each guest. The host is this machine.</summary>
internal static class SshFigures
{
    private const int Guests = 100;
    private const int Times = 200;
    private const int Rounds = 5;

    private static readonly CallOptions Patient = new() { Timeout = TimeSpan.FromMinutes(2) };

    public static async Task RunAsync()
    {
        if (!File.Exists(Sshd.Program))
        {
            Table.Row("guests by ssh", $"not measured: there is no {Sshd.Program}", "-", "-", "-");
            return;
        }

        using var sshd = new Sshd();
        await PingAsync(sshd);
        await ConnectAsync(sshd);
    }

    private static async Task PingAsync(Sshd sshd)
    {
        using var plainAgent = new RealAgent();
        using var ourAgent = new RealAgent();
        using var plain = await GuestAgentSession.ConnectAsync(sshd.WithSocat(plainAgent.SocketPath), null, Patient);
        using (var session = await GuestAgentSession.ConnectAsync(new SshEndpoint(sshd.Host(), ourAgent.SocketPath), null, Patient))
        {
            await Comparison.RunAsync(
                "guest-ping by ssh://, beside exec:ssh … socat", "<= 1", Times,
                times => RoundTrips.PingAsync(plain, times), times => RoundTrips.PingAsync(session, times));
        }

        using var other = new Sshd("DisableForwarding yes");
        using var relayed = await GuestAgentSession.ConnectAsync(new SshEndpoint(other.Host(), ourAgent.SocketPath), null, Patient);
        await Comparison.RunAsync(
            "the same with a host that does not forward", "<= 1.1", Times,
            times => RoundTrips.PingAsync(plain, times), times => RoundTrips.PingAsync(relayed, times));
    }

    private static async Task ConnectAsync(Sshd sshd)
    {
        var folder = Directory.CreateTempSubdirectory("qga-bench-").FullName;
        var paths = Enumerable.Range(0, Guests).Select(i => Path.Combine(folder, $"{i}.sock")).ToList();
        var agents = paths.ConvertAll(path => new CannedAgent(path, []));
        var (plain, own) = (new List<double>(), new List<double>());
        var (plainMemory, ownMemory, refused) = (0L, 0L, 0);
        for (var round = 0; round < Rounds; round++)
        {
            plain.Add(await TimeAsync(sshd, paths.ConvertAll<GuestAgentEndpoint>(sshd.WithSocat), (memory, failed) => (plainMemory, refused) = (memory, failed)));
            own.Add(await TimeAsync(sshd, paths.ConvertAll<GuestAgentEndpoint>(path => new SshEndpoint(sshd.Host(), path)), (memory, failed) => ownMemory = failed == 0
                ? memory : throw new InvalidOperationException($"{failed} guests did not come")));
        }

        agents.ForEach(agent => agent.Dispose());
        Directory.Delete(folder, recursive: true);
        Comparison.Report($"{Guests} guests of a host connected at once, beside exec:ssh … socat for each ({refused} of which sshd's MaxStartups refused)", "-", plain, own);
        Table.Row("memory of the ssh processes meanwhile, here and on the host", $"{plainMemory >> 20} MiB", $"{ownMemory >> 20} MiB", $"{(double)ownMemory / plainMemory:0.00}", "-");
    }

    private static async Task<double> TimeAsync(Sshd sshd, List<GuestAgentEndpoint> endpoints, Action<long, int> tell)
    {
        var start = Stopwatch.GetTimestamp();
        var opening = endpoints.ConvertAll(endpoint => GuestAgentSession.ConnectAsync(endpoint, null, Patient));
        try
        {
            await Task.WhenAll(opening);
        }
        catch (Exception e) when (e is Core.Errors.GuestAgentException)
        {
            // Told as a number.
        }

        var time = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        tell(Own(sshd.Id).Sum(Memory), opening.Count(session => session.IsFaulted));
        foreach (var session in opening.Where(session => session.IsCompletedSuccessfully))
        {
            await session.Result.DisposeAsync();
        }

        // The processes end after their sessions.
        while (Own(sshd.Id).Count > 0)
        {
            await Task.Delay(50);
        }

        return time;
    }

    // Those of this run: started by its sshd, or with the path of one of its files.
    private static List<int> Own(int sshd)
    {
        var all = Directory.EnumerateDirectories("/proc").Select(folder => int.TryParse(Path.GetFileName(folder), out var id) ? id : 0)
            .Where(id => id > 0).ToDictionary(id => id, id => Read(id, "stat"));
        bool IsOfSshd(int id) => id == sshd || (all.TryGetValue(id, out var stat) && stat.Length > 0
            && IsOfSshd(int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture)));
        return [.. all.Keys.Where(id => id != sshd && (IsOfSshd(id) || Read(id, "cmdline").Contains("/qga-bench-"))
            && Read(id, "comm").Trim() is "ssh" or "sshd" or "socat")];
    }

    // What only it has: not the pages that it shares.
    private static long Memory(int id) => Read(id, "smaps_rollup").Split('\n').Where(line => line.StartsWith("Private_", StringComparison.Ordinal))
        .Sum(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10);

    private static string Read(int id, string name)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/{name}");
        }
        catch (IOException)
        {
            return "";
        }
    }
}
