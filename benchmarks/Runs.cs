using System.Diagnostics;
using System.Globalization;

namespace QemuGuestAgent.Benchmarks;

/// <summary>
/// Measures each figure in processes of its own, three for each load of the machine, and shows the worst of their medians: what .NET
/// compiles, and where memory and sockets come to be, differs between processes.
/// </summary>
internal static class Runs
{
    /// <summary>The argument that measures one figure here and now.</summary>
    public const string Rows = "--rows";

    /// <summary>The argument that measures in one process only for each load.</summary>
    public const string Quick = "--quick";

    private const int Processes = 3;

    /// <summary>Measures, and writes the table.</summary>
    public static async Task MeasureAsync(IReadOnlyList<string> figures, bool isQuick)
    {
        string?[] loads = [null, BusyCores.BelowNormal, BusyCores.Normal];
        Machine.Describe();
        var all = new List<List<Row>>();
        foreach (var load in loads)
        {
            using var busy = new BusyCores(load);
            var rows = new List<Row>();
            foreach (var figure in figures)
            {
                var runs = new List<List<Row>>();
                for (var i = 0; i < (isQuick ? 1 : Processes); i++)
                {
                    runs.Add(await RunAsync(figure));
                }

                rows.AddRange(runs[0].Select(row => runs.SelectMany(run => run).Where(other => other.Figure == row.Figure).MaxBy(other => other.Badness)!));
            }

            all.Add(rows);
            Console.Error.WriteLine($"{Name(load)}: done");
        }

        Console.WriteLine($"\n| figure | aim | {string.Join(" | ", loads.Select(Name))} |\n|--|--|{string.Concat(loads.Select(_ => "--|"))}");
        foreach (var row in all[0])
        {
            var cells = all.Select(rows => rows.Find(other => other.Figure == row.Figure)?.Cell ?? "-");
            Console.WriteLine($"| {row.Figure} | {row.Aim} | {string.Join(" | ", cells)} |");
        }
    }

    private static string Name(string? load) => load switch
    {
        null => "quiet",
        BusyCores.Normal => "all cores busy",
        _ => "all cores busy below normal priority",
    };

    private static async Task<List<Row>> RunAsync(string figure)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", [typeof(Runs).Assembly.Location, Rows, figure])
        {
            RedirectStandardOutput = true,
        })!;
        var rows = new List<Row>();
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            Console.Error.WriteLine(line);
            rows.Add(Row.Parse(line));
        }

        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? rows : throw new InvalidOperationException($"'{figure}' ended with {process.ExitCode}.");
    }

    // A row of one process, as Table and Comparison.ps1 write it.
    private sealed record Row(string Figure, string Baseline, string Own, string Ratio, string Aim)
    {
        private const string Speedup = "times as fast";

        /// <summary>The more of it, the worse.</summary>
        public double Badness => Median is not { } median ? 0 : Figure.EndsWith(Speedup, StringComparison.Ordinal) ? -median : median;

        public string Cell => $"{Baseline}, {Own}: {Ratio}{(IsMissed ? ", **missed**" : "")}";

        private double? Median => Number(Ratio.Split(' ')[0]);

        private bool IsMissed => (Median ?? Number(Own.Split(' ')[0])) is { } value && Aim.Split(' ') is [var comparison, var bound, ..]
            && Number(bound) is { } number && comparison switch
            {
                "<" => value >= number,
                "<=" => value > number,
                ">=" => value < number,
                _ => false,
            };

        public static Row Parse(string line) => line.Trim('|', ' ').Split(" | ") is [var figure, var baseline, var own, var ratio, var aim]
            ? new Row(figure, baseline, own, ratio, aim)
            : throw new FormatException($"This is no row: {line}");

        private static double? Number(string text) =>
            double.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : null;
    }
}
