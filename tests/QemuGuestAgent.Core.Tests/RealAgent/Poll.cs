using System.Diagnostics;

namespace QemuGuestAgent.Core.Tests.RealAgent;

/// <summary>Waits for what nothing tells of.</summary>
internal static class Poll
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(2);

    /// <summary>Waits until <paramref name="isSo"/>, and fails where that does not come.</summary>
    public static Task UntilAsync(Func<bool> isSo, string what) => UntilAsync(() => Task.FromResult(isSo()), what);

    /// <summary>Waits until <paramref name="isSo"/>, and fails where that does not come.</summary>
    public static async Task UntilAsync(Func<Task<bool>> isSo, string what)
    {
        Assert.True(await TriesAsync(isSo, Longest), $"Waited for {Longest.TotalSeconds} s: {what}.");
    }

    /// <summary>Whether it is so within the time given.</summary>
    public static Task<bool> TriesAsync(Func<bool> isSo, TimeSpan longest) => TriesAsync(() => Task.FromResult(isSo()), longest);

    private static async Task<bool> TriesAsync(Func<Task<bool>> isSo, TimeSpan longest)
    {
        for (var watch = Stopwatch.StartNew(); !await isSo(); await Task.Delay(Step))
        {
            if (watch.Elapsed > longest)
            {
                return false;
            }
        }

        return true;
    }
}
