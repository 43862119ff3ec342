namespace QemuGuestAgent.Benchmarks;

/// <summary>The table of results, in Markdown.</summary>
internal static class Table
{
    /// <summary>Writes the head.</summary>
    public static void Head() => Console.WriteLine(
        "| figure | baseline | ours | ratio: median (quartiles) | aim |\n|--|--|--|--|--|");

    /// <summary>Writes a row.</summary>
    public static void Row(params string[] cells) => Console.WriteLine($"| {string.Join(" | ", cells)} |");
}
