using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>What a copy would find in its way, and which links it would make, for a user who wants to know that before.</summary>
/// <param name="existing">What has the places of what is copied; null where the guest's programs cannot tell.</param>
internal sealed class CopyPreview(List<string>? existing)
{
    private readonly List<(string Path, string Target)> _links = [];

    /// <summary>What has the places of what is copied; null where the guest's programs cannot tell.</summary>
    public IEnumerable<string>? Existing => existing?.OrderBy(path => path, StringComparer.Ordinal);

    /// <summary>The links that would be made, and where they would lead.</summary>
    public IEnumerable<(string Path, string Target)> Links => _links.OrderBy(link => link.Path, StringComparer.Ordinal);

    /// <summary>Of what is sent to a guest.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="sources">The items' full paths.</param>
    /// <param name="destination">Where they are to go.</param>
    /// <param name="options">How they are to be copied.</param>
    /// <param name="call">Time limit and trace.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async Task<CopyPreview> OfSendingAsync(
        GuestAgentSession session, IReadOnlyList<string> sources, string destination, ItemCopyOptions options, CallOptions call,
        CancellationToken cancellationToken)
    {
        var job = await CopyJob.StartAsync(session, options, call, cancellationToken).ConfigureAwait(false);
        LocalName.CheckPath(destination, job.Paths, isPattern: false, session.Endpoint);
        if (job.Tools is not { } tools)
        {
            return new CopyPreview(null);
        }

        var isInto = (await tools.ListAsync(destination, isPattern: false, isDeep: false, followsLinks: false, cancellationToken).ConfigureAwait(false))
            .Exists(item => item.Type == 'd');
        var found = new List<string>();
        var preview = new CopyPreview(found);
        foreach (var tree in sources.Select(source => LocalTree.Read(source, options)))
        {
            var root = isInto ? job.Paths.Join(destination, tree.Name) : destination;
            var items = (await tools.ListAsync(
                    root, isPattern: false, isDeep: tree.Folders.Count > 0, followsLinks: false, cancellationToken).ConfigureAwait(false))
                .ToLookup(item => item.Path, job.Paths.IsWindows ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
            found.AddRange((await FindChangedAsync(job, tree.Files.SelectMany(file => items[job.Paths.Join(root, file.Names)]
                .Where(item => item.Type != 'd')
                .Select(item => new FilePair(item, file.Path, file.Length, file.Modified)))).ConfigureAwait(false)).Select(pair => pair.Item.Path));
            foreach (var (link, target) in tree.Links.Where(_ => tools.MakesLinks))
            {
                var path = job.Paths.Join(root, link.Names);
                var there = items[path].FirstOrDefault();
                preview.AddLink(path, target, job.Replaces, there switch
                {
                    null => LinkPlace.Free,
                    { Type: not 'l' } => LinkPlace.Taken,
                    _ => there.Target == target ? LinkPlace.Same : LinkPlace.Link,
                });
            }
        }

        return preview;
    }

    /// <summary>Of what is received from a guest.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="sources">The items' paths in the guest.</param>
    /// <param name="areLiteral">Whether these are literal.</param>
    /// <param name="destination">Where they are to go.</param>
    /// <param name="options">How they are to be copied.</param>
    /// <param name="call">Time limit and trace.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async Task<CopyPreview> OfReceivingAsync(
        GuestAgentSession session, IReadOnlyList<string> sources, bool areLiteral, string destination, ItemCopyOptions options,
        CallOptions call, CancellationToken cancellationToken)
    {
        var job = await CopyJob.StartAsync(session, options, call, cancellationToken).ConfigureAwait(false);
        var isInto = Directory.Exists(destination);
        var found = new List<string>();
        var preview = new CopyPreview(found);
        var pairs = new List<FilePair?>();
        foreach (var source in sources)
        {
            await job.TryAsync(async () =>
            {
                foreach (var item in await job.FindAsync(source, areLiteral, options.Recurse).ConfigureAwait(false))
                {
                    // A name that cannot be one here is an error once it is copied.
                    string[] names = isInto ? [job.Paths.Name(item.Root), .. item.Names] : item.Names;
                    if (!names.All(name => LocalName.Refuse(name, LocalFile.IsWindows) is null))
                    {
                        continue;
                    }

                    var path = Path.Combine([destination, .. names]);
                    if (item.Type == 'f')
                    {
                        pairs.Add(FilePair.With(item, path));
                    }
                    else if (TreeLink.TargetOf(item, options) is { } target)
                    {
                        preview.AddLink(path, target, job.Replaces, LocalPlace.OfLink(path, target));
                    }
                }
            }).ConfigureAwait(false);
        }

        found.AddRange((await FindChangedAsync(job, pairs.OfType<FilePair>()).ConfigureAwait(false)).Select(pair => pair.Path));
        return preview;
    }

    private static async Task<IEnumerable<FilePair>> FindChangedAsync(CopyJob job, IEnumerable<FilePair> pairs) =>
        job.Options.Update ? pairs.Except(await FilePair.FindSameAsync(job, pairs).ConfigureAwait(false)) : pairs;

    // A link replaces nothing but another one.
    private void AddLink(string path, string target, bool replaces, LinkPlace place)
    {
        if (place is LinkPlace.Free)
        {
            _links.Add((path, target));
        }
        else if (place is LinkPlace.Link || (place is LinkPlace.Taken && !replaces))
        {
            existing!.Add(path);
        }
    }
}
