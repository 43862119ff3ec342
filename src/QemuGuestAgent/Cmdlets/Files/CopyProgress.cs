using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Files;

namespace QemuGuestAgent;

/// <summary>Shows the progress of copies: files, bytes, rate and remaining time of each guest's, and of all together.</summary>
/// <param name="write">Writes on the pipeline's thread, some time.</param>
internal sealed class CopyProgress(Action<ProgressRecord> write)
{
    // Shorter copies end before their progress could be read.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);
    private static readonly string[] Units = ["bytes", "KB", "MB", "GB", "TB", "PB", "EB"];

    private readonly List<Guest> _guests = [];
    private readonly Bar _all = new("Copying", 0, -1, write);
    private int _open;

    /// <summary>Adds a guest's copy.</summary>
    /// <param name="activity">What is being done.</param>
    public Guest Add(string activity)
    {
        lock (_guests)
        {
            _open++;
            _guests.Add(new Guest(this, new Bar(activity, _guests.Count + 1, 0, write)));
            return _guests[_guests.Count - 1];
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

    // With one guest alone its own bar says it all.
    private void TellAll(string item)
    {
        if (_guests.Count > 1)
        {
            _all.Tell(new ItemCopyProgress(
                item, _guests.Sum(guest => guest.Last.Bytes), _guests.Sum(guest => guest.Last.TotalBytes), _guests.Sum(guest => guest.Last.Files),
                _guests.Sum(guest => guest.Last.TotalFiles)));
        }
    }

    /// <summary>The copy of one guest.</summary>
    internal sealed class Guest(CopyProgress all, Bar bar)
    {
        /// <summary>How far it was last.</summary>
        public ItemCopyProgress Last { get; private set; }

        /// <summary>Updates the progress.</summary>
        public void Tell(ItemCopyProgress progress)
        {
            lock (all._guests)
            {
                Last = progress;
                all.TellAll(progress.Item);
                bar.Tell(progress);
            }
        }

        /// <summary>Removes it.</summary>
        public void Complete()
        {
            lock (all._guests)
            {
                bar.Complete();
                if (--all._open == 0)
                {
                    all._all.Complete();
                }
            }
        }
    }

    /// <summary>A progress bar.</summary>
    internal sealed class Bar(string activity, int id, int parentId, Action<ProgressRecord> write)
    {
        private readonly Stopwatch _watch = Stopwatch.StartNew();
        private TimeSpan _next = Quiet;
        private bool _isShown;

        /// <summary>Updates it, now and then.</summary>
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
            var files = progress.TotalFiles > 1 ? $"{progress.Files} of {progress.TotalFiles} files, " : "";
            write(new ProgressRecord(id, activity, $"{files}{Size(progress.Bytes)} of {Size(progress.TotalBytes)}, {Size((long)rate)}/s")
            {
                ParentActivityId = parentId,
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
    }
}
