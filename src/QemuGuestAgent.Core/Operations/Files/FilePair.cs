using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;

namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>A file of a guest and one here, of which one is to become the copy of the other.</summary>
/// <param name="Item">The one in the guest.</param>
/// <param name="Path">The path of the one here.</param>
/// <param name="Length">Its length.</param>
/// <param name="Modified">When it was changed, in UTC.</param>
internal readonly record struct FilePair(GuestItem Item, string Path, long Length, DateTime Modified)
{
    /// <summary>A pair with a file here, if that is there.</summary>
    public static FilePair? With(GuestItem item, string path) =>
        new FileInfo(path) is { Exists: true } file ? new FilePair(item, path, file.Length, file.LastWriteTimeUtc) : null;

    /// <summary>The pairs that are the same: by length and time, or checksum.</summary>
    /// <param name="job">The copy.</param>
    /// <param name="pairs">The pairs.</param>
    /// <exception cref="GuestAgentException">GuestToolsMissing, and those of a command.</exception>
    public static async Task<HashSet<FilePair>> FindSameAsync(CopyJob job, IEnumerable<FilePair> pairs)
    {
        var alike = pairs.Where(pair => pair.Item.Size == pair.Length);
        if (!job.Options.Checksum)
        {
            return [.. alike.Where(pair => pair.IsOfSameTime)];
        }

        if (job.Tools is not { HasChecksum: true } tools)
        {
            throw ErrorCatalogue.GuestToolsMissing.WithTarget(
                job.Session.Endpoint, "Comparing checksums", job.Session.Endpoint, job.ToolsMissingReason ?? "it has no sha256sum");
        }

        var same = new HashSet<FilePair>();
        foreach (var root in alike.GroupBy(pair => job.Held(pair.Item).Root, StringComparer.Ordinal))
        {
            foreach (var pack in FilePack.Part(job, root, pair => pair.Length, pair => pair.Item.Way))
            {
                var told = await tools.HashAsync(root.Key, pack.ConvertAll(pair => job.Held(pair.Item).Way), job.CancellationToken).ConfigureAwait(false);
                same.UnionWith(pack.Where((pair, i) => i < told.Count && told[i] == pair.HashHere(job)));
            }
        }

        return same;
    }

    // Some of the guest's tools tell and set whole seconds only.
    private bool IsOfSameTime => Item.ModifiedTime is { } time
        && (time == Modified || (time.Ticks % TimeSpan.TicksPerSecond == 0 && time == Modified.AddTicks(-(Modified.Ticks % TimeSpan.TicksPerSecond))));

    // Null where it cannot be read: then its turn comes, and shows why.
    private string? HashHere(CopyJob job)
    {
        try
        {
            using var file = LocalFile.OpenRead(Path);
            var (incremental, hash) = LocalFile.HashStart(file, Path, Length, job.Buffers[0]);
            incremental.Dispose();
            return hash;
        }
        catch (GuestAgentException)
        {
            return null;
        }
    }
}
