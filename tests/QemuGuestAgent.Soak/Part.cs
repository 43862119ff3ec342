using System.Diagnostics;
using System.Globalization;

namespace QemuGuestAgent.Soak;

/// <summary>A part of the soak: what it counts, and what it takes of the machine along the way.</summary>
/// <param name="what">Its name.</param>
/// <param name="planned">How many times it does what it does.</param>
/// <param name="run">Does it.</param>
internal sealed class Part(string what, int planned, Func<Part, Task> run)
{
    // Of more failures than that, the first say enough.
    private const int MaxFailures = 5;
    private const int Samples = 20;
    private const int Compared = 5;

    private readonly List<Sample> _samples = [];
    private readonly List<string> _failures = [];
    private double _seconds;
    private int _count;
    private int _wrong;
    private int _lost;

    private readonly record struct Sample(long Memory, long Handles, long Threads, long Timers);

    public static string Head =>
        "| what | count | wrong | lost | memory | handles | threads | timers | seconds |\n|--|--|--|--|--|--|--|--|--|";

    public int Planned => planned;

    /// <summary>How many it did.</summary>
    public int Count => _count;

    /// <summary>What the name does not tell, for the table.</summary>
    public string Remark { get; set; } = "";

    public IReadOnlyList<string> Failures => _failures;

    /// <summary>Whether it is worth while.</summary>
    public bool MayGoOn => _failures.Count < MaxFailures;

    /// <summary>Runs it, and judges what it took.</summary>
    public async Task RunAsync()
    {
        var watch = Stopwatch.StartNew();
        try
        {
            await run(this);
        }
        catch (Exception e)
        {
            Fail(e, "it ended by this");
        }

        _seconds = watch.Elapsed.TotalSeconds;

        // Buffers that .NET keeps for each of its threads come in steps of about one MiB.
        Judge("memory", sample => sample.Memory, 4 << 20);
        Judge("handles", sample => sample.Handles, 8);
        Judge("threads", sample => sample.Threads, 8);
        Judge("timers", sample => sample.Timers, 8);
    }

    /// <summary>Counts one that is done, rightly or not.</summary>
    public void CountOne() => Interlocked.Increment(ref _count);

    /// <summary>Counts what was wrong or lost.</summary>
    /// <param name="e">What happened; anything but a <see cref="SoakException"/> is an answer lost.</param>
    /// <param name="where">How to come there again.</param>
    public void Fail(Exception e, string where)
    {
        lock (_failures)
        {
            var isWrong = e is SoakException { IsLost: false };
            _wrong += isWrong ? 1 : 0;
            _lost += isWrong ? 0 : 1;
            if (_failures.Count < MaxFailures)
            {
                _failures.Add($"{what}: {where}: {(e is SoakException ? e.Message : e)}");
            }
        }
    }

    /// <summary>Looks at the process, twenty times along the way. To be called when nothing is under way.</summary>
    /// <param name="done">How many of the plan are done.</param>
    public async Task WatchAsync(int done)
    {
        if (planned < Samples || done < (long)planned * _samples.Count / Samples)
        {
            return;
        }

        // What was closed may take a moment to be gone. Before the collector closes what was forgotten.
        var handles = Handles();
        for (var tries = 0; _samples.Count > 0 && handles > _samples[^1].Handles && tries < 20; tries++)
        {
            await Task.Delay(5);
            handles = Handles();
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
        using var process = Process.GetCurrentProcess();
        _samples.Add(new Sample(GC.GetTotalMemory(forceFullCollection: true), handles, process.Threads.Count, Timer.ActiveCount));
    }

    public override string ToString()
    {
        var (first, last) = _samples.Count > 0 ? (_samples[0], _samples[^1]) : default;
        return string.Create(CultureInfo.InvariantCulture,
            $"| {what}{Remark} | {Count:N0} | {_wrong} | {_lost} | {first.Memory / 1e6:N2} to {last.Memory / 1e6:N2} MB | "
            + $"{first.Handles} to {last.Handles} | {first.Threads} to {last.Threads} | {first.Timers} to {last.Timers} | {_seconds:N1} |");
    }

    // After a fifth to get warm: the least of the last five samples is at most that of the first five, and the slack.
    private void Judge(string figure, Func<Sample, long> of, long slack)
    {
        if (_samples.Count < Samples)
        {
            // It was short, or ended early, which is a failure already.
            return;
        }

        var (early, late) = (_samples.Skip(Samples / 5).Take(Compared).Min(of), _samples.TakeLast(Compared).Min(of));
        if (late > early + slack)
        {
            _failures.Add($"{what}: {figure} grew from {early} to {late}: {string.Join(' ', _samples.Select(of))}");
        }
    }

    private static int Handles()
    {
        using var process = Process.GetCurrentProcess();
        return process.HandleCount;
    }
}
