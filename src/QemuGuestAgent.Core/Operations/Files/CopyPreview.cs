using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>Which files a copy would find in its way, for a user who wants to know that before.</summary>
internal static class CopyPreview
{
    /// <summary>The files of a guest that have the places of what is sent; null where its programs cannot tell.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="sources">The items' full paths.</param>
    /// <param name="destination">Where they are to go.</param>
    /// <param name="options">How they are to be copied.</param>
    /// <param name="call">Time limit and trace.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async Task<IReadOnlyList<string>?> OfSendingAsync(
        GuestAgentSession session, IReadOnlyList<string> sources, string destination, ItemCopyOptions options, CallOptions call,
        CancellationToken cancellationToken)
    {
        var job = await CopyJob.StartAsync(session, options, call, cancellationToken).ConfigureAwait(false);
        LocalName.CheckPath(destination, job.Paths, isPattern: false, session.Endpoint);
        if (job.Tools is not { } tools)
        {
            return null;
        }

        var isInto = (await tools.ListAsync(destination, isPattern: false, isDeep: false, followsLinks: false, cancellationToken).ConfigureAwait(false))
            .Exists(item => item.Type == 'd');
        var found = new List<string>();
        foreach (var tree in sources.Select(source => LocalTree.Read(source, options)))
        {
            var root = isInto ? job.Paths.Join(destination, tree.Name) : destination;
            var there = await tools.ListAsync(
                root, isPattern: false, isDeep: tree.Folders.Count > 0, followsLinks: false, cancellationToken).ConfigureAwait(false);
            var items = there.Where(item => item.Type != 'd').ToLookup(
                item => item.Path, job.Paths.IsWindows ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
            found.AddRange((await FindChangedAsync(job, tree.Files.SelectMany(file => items[job.Paths.Join(root, file.Names)]
                .Select(item => new FilePair(item, file.Path, file.Length, file.Modified)))).ConfigureAwait(false)).Select(pair => pair.Item.Path));
        }

        return Sorted(found);
    }

    /// <summary>The files of this computer that have the places of what is received.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="sources">The items' paths in the guest.</param>
    /// <param name="areLiteral">Whether these are literal.</param>
    /// <param name="destination">Where they are to go.</param>
    /// <param name="options">How they are to be copied.</param>
    /// <param name="call">Time limit and trace.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async Task<IReadOnlyList<string>> OfReceivingAsync(
        GuestAgentSession session, IReadOnlyList<string> sources, bool areLiteral, string destination, ItemCopyOptions options,
        CallOptions call, CancellationToken cancellationToken)
    {
        var job = await CopyJob.StartAsync(session, options, call, cancellationToken).ConfigureAwait(false);
        var isInto = Directory.Exists(destination);
        var pairs = new List<FilePair?>();
        foreach (var source in sources)
        {
            await job.TryAsync(async () =>
            {
                foreach (var item in await job.FindAsync(source, areLiteral, options.Recurse).ConfigureAwait(false))
                {
                    // A name that cannot be one here is an error once it is copied.
                    string[] names = isInto ? [job.Paths.Name(item.Root), .. item.Names] : item.Names;
                    if (item.Type == 'f' && names.All(name => LocalName.Refuse(name, LocalFile.IsWindows) is null))
                    {
                        pairs.Add(FilePair.With(item, Path.Combine([destination, .. names])));
                    }
                }
            }).ConfigureAwait(false);
        }

        return Sorted((await FindChangedAsync(job, pairs.OfType<FilePair>()).ConfigureAwait(false)).Select(pair => pair.Path));
    }

    private static async Task<IEnumerable<FilePair>> FindChangedAsync(CopyJob job, IEnumerable<FilePair> pairs) =>
        job.Options.Update ? pairs.Except(await FilePair.FindSameAsync(job, pairs).ConfigureAwait(false)) : pairs;

    private static List<string> Sorted(IEnumerable<string> paths) => [.. paths.OrderBy(path => path, StringComparer.Ordinal)];
}
