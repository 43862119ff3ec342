using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Files;

namespace QemuGuestAgent;

/// <summary>Shows the progress of a copy with one guest: bytes, rate and remaining time.</summary>
/// <param name="activity">What is being done.</param>
/// <param name="id">The id of its progress bar.</param>
/// <param name="write">Writes on the pipeline's thread, some time.</param>
internal sealed class CopyProgress(string activity, int id, Action<ProgressRecord> write)
{
    // Shorter copies end before their progress could be read.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);
    private static readonly string[] Units = ["bytes", "KB", "MB", "GB", "TB", "PB", "EB"];

    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private TimeSpan _next = Quiet;
    private bool _isShown;

    /// <summary>Updates the progress.</summary>
    public void Tell(ItemCopyProgress progress)
    {
        var elapsed = _watch.Elapsed;
        if (elapsed < _next)
        {
            return;
        }

        _next = elapsed + Interval;
        _isShown = true;
        var rate = progress.Bytes / elapsed.TotalSeconds;
        write(new ProgressRecord(id, activity, $"{Size(progress.Bytes)} of {Size(progress.TotalBytes)}, {Size((long)rate)}/s")
        {
            CurrentOperation = SafeText.Escape(progress.Item),
            PercentComplete = progress.TotalBytes > 0 ? (int)(100.0 * progress.Bytes / progress.TotalBytes) : -1,
            SecondsRemaining = rate > 0
                ? (int)Math.Min(int.MaxValue, (progress.TotalBytes - progress.Bytes) / rate)
                : -1,
        });
    }

    /// <summary>Removes it.</summary>
    public void Complete()
    {
        if (_isShown)
        {
            write(new ProgressRecord(id, activity, " ") { RecordType = ProgressRecordType.Completed });
        }
    }

    /// <summary>A number of bytes as PowerShell counts them, in units of 1024.</summary>
    public static string Size(long bytes)
    {
        var (size, unit) = ((double)bytes, 0);
        for (; size >= 1024 && unit < Units.Length - 1; unit++)
        {
            size /= 1024;
        }

        return size.ToString(unit == 0 ? "0" : "0.0", CultureInfo.InvariantCulture) + " " + Units[unit];
    }
}
