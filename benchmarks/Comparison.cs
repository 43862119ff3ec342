using System.Diagnostics;

namespace QemuGuestAgent.Benchmarks;

/// <summary>Measures two ways to do the same in turns, so that whatever else the machine does falls on both.</summary>
internal static class Comparison
{
    // What runs for the first times is compiled meanwhile, and again once it is known to run often.
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);

    /// <summary>Measures, and writes a row of the table.</summary>
    /// <param name="figure">What is measured.</param>
    /// <param name="aim">What the ratio should be.</param>
    /// <param name="times">How often a round does it.</param>
    /// <param name="baseline">Does it so often, the plain way.</param>
    /// <param name="ours">Does it so often, with this library.</param>
    /// <param name="rounds">How many rounds are measured.</param>
    /// <param name="processorTime">Whether the time of this process on the cores is measured too, as a row of its own.</param>
    public static async Task RunAsync(
        string figure, string aim, int times, Func<int, Task> baseline, Func<int, Task> ours, int rounds = 21, bool processorTime = false)
    {
        await WarmUpAsync(async () =>
        {
            await baseline(times);
            await ours(times);
        });
        var (plain, own) = (new List<double>(), new List<double>());
        var (plainProcessor, ownProcessor) = (new List<double>(), new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            var start = ProcessorTime();
            plain.Add(await TimeAsync(baseline, times));
            var middle = ProcessorTime();
            own.Add(await TimeAsync(ours, times));
            plainProcessor.Add((middle - start).TotalMicroseconds / times);
            ownProcessor.Add((ProcessorTime() - middle).TotalMicroseconds / times);
        }

        Report(figure, aim, plain, own);
        if (processorTime)
        {
            Report($"{figure}: processor time (user and system)", "-", plainProcessor, ownProcessor);
        }
    }

    /// <summary>Does what will be measured for a while.</summary>
    public static async Task WarmUpAsync(Func<Task> work)
    {
        var start = Stopwatch.GetTimestamp();
        do
        {
            await work();
        }
        while (Stopwatch.GetElapsedTime(start) < WarmUp);
    }

    /// <summary>Writes a row of the table from what was measured in turns.</summary>
    /// <param name="figure">What was measured.</param>
    /// <param name="aim">What the ratio should be.</param>
    /// <param name="plain">How long it took the plain way, in microseconds.</param>
    /// <param name="own">How long it took with this library, in microseconds.</param>
    public static void Report(string figure, string aim, List<double> plain, List<double> own)
    {
        var ratios = plain.Zip(own, (a, b) => b / a).Order().ToList();
        Table.Row(
            figure, Time(Median(plain)), Time(Median(own)),
            $"{Median(ratios):0.00} ({ratios[ratios.Count / 4]:0.00} to {ratios[3 * ratios.Count / 4]:0.00})", aim);
    }

    /// <summary>How long one time takes, in microseconds.</summary>
    public static async Task<double> TimeAsync(Func<int, Task> work, int times)
    {
        var start = Stopwatch.GetTimestamp();
        await work(times);
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds / times;
    }

    private static TimeSpan ProcessorTime()
    {
        using var self = Process.GetCurrentProcess();
        return self.TotalProcessorTime;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static string Time(double microseconds) =>
        microseconds < 10_000 ? $"{microseconds:0.0} µs" : $"{microseconds / 1000:0.0} ms";
}
