namespace QemuGuestAgent.Benchmarks;

/// <summary>What one process measured, as rows in Markdown.</summary>
internal static class Table
{
    /// <summary>Writes a row: figure, baseline, ours, ratio and aim.</summary>
    public static void Row(params string[] cells) => Console.WriteLine($"| {string.Join(" | ", cells)} |");
}
