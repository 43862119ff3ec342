namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>The bounds within which small files are copied together: of each file, and of all.</summary>
internal static class FilePack
{
    /// <summary>The most bytes of a file: larger ones gain nothing.</summary>
    public const int MaxFile = 256 << 10;

    // More bytes at once would keep the agent from all else for longer, and more names would not fit into a command.
    private const int MaxBytes = 1 << 20, MaxFiles = 500, MaxNames = 64 << 10;

    // A small file counts as this much at least: its header, its name.
    private const int Least = MaxBytes / MaxFiles;

    /// <summary>Whether a file may be copied together with others.</summary>
    public static bool Takes(CopyJob job, string name, long length) =>
        job.Tools is { } tools && tools.Packs(name) && length <= Math.Min(MaxFile, Room(job)) && !job.Options.OneByOne;

    /// <summary>Parts files into packs.</summary>
    public static IEnumerable<List<T>> Part<T>(CopyJob job, IEnumerable<T> files, Func<T, long> length, Func<T, string> path)
    {
        var pack = new List<T>();
        var (bytes, names) = (0L, 0);
        foreach (var file in files)
        {
            if (pack.Count > 0 && (bytes + length(file) > Room(job) || names + path(file).Length > MaxNames))
            {
                yield return pack;
                pack = [];
                (bytes, names) = (0, 0);
            }

            pack.Add(file);
            bytes += Math.Max(length(file), Least);
            names += path(file).Length;
        }

        if (pack.Count > 0)
        {
            yield return pack;
        }
    }

    /// <summary>Does something with each pack, and goes on with what came of it while the guest works on the next one.</summary>
    public static async Task OverlapAsync<TPack, TResult>(
        IEnumerable<TPack> packs, Func<TPack, Task<TResult>> start, Func<TPack, TResult, Task> finish)
    {
        (TPack Pack, Task<TResult> Result)? last = null;
        try
        {
            foreach (var pack in packs)
            {
                var next = (pack, start(pack));
                if (last is var (done, result))
                {
                    last = next;
                    await finish(done, await result.ConfigureAwait(false)).ConfigureAwait(false);
                }

                last = next;
            }

            if (last is var (final, end))
            {
                await finish(final, await end.ConfigureAwait(false)).ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            // Nothing goes on behind the caller's back.
            if (last is var (_, open))
            {
                await Task.WhenAny(open).ConfigureAwait(false);
                CopyJob.ThrowReason(e, open);
            }

            throw;
        }
    }

    private static long Room(CopyJob job) => job.Session.Endpoint.BoundsReplies ? 2 * PieceSize.Min : MaxBytes;
}
