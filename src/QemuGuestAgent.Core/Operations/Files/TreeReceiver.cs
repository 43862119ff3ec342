using System.Runtime.InteropServices;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;

namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>Receives items with what is in them. Nothing that the guest says leads out of the folder they go to.</summary>
internal sealed class TreeReceiver(CopyJob job)
{
    private static readonly bool IsWindowsHere = RuntimeInformation.IsOSPlatform(OSPlatform.Windows);

    private readonly FileReceiver _files = new(job);
    private readonly HashSet<string> _madeFolders = new(StringComparer.Ordinal);
    private readonly List<(string Path, DateTime Modified)> _timedFolders = [];

    /// <summary>Receives items of the guest.</summary>
    public async Task ReceiveAsync(IReadOnlyList<string> sources, bool areLiteral, string destination)
    {
        if (job.Tools is null)
        {
            job.Options.Warn(
                $"From the guest of '{job.Session.Endpoint}' files come without mode and time, and are compared by length: {job.ToolsMissingReason}.");
        }

        var items = new List<GuestItem>();
        var roots = new List<string>();
        foreach (var source in sources)
        {
            await job.TryAsync(async () =>
            {
                foreach (var item in await job.FindAsync(source, areLiteral, job.Options.Recurse).ConfigureAwait(false))
                {
                    if (!item.IsText)
                    {
                        Refuse(item);
                        continue;
                    }

                    items.Add(item);
                    if (item.Path == item.Root)
                    {
                        roots.Add(item.Path);
                    }
                }
            }).ConfigureAwait(false);
        }

        var isInto = Directory.Exists(destination);
        if (!isInto && (roots.Count > 1 || Path.GetFileName(destination).Length == 0))
        {
            throw ErrorCatalogue.LocalFileNotWritten.With(destination, "it is not an existing folder.");
        }

        job.TotalFiles = items.Count(item => item.Type == 'f');
        job.TotalBytes = items.Where(item => item.Type == 'f').Sum(item => (decimal)item.Size) is var sum && sum < long.MaxValue
            ? (long)sum
            : long.MaxValue;
        foreach (var item in items.Where(item => item.Type is not ('f' or 'l')))
        {
            await job.TryAsync(() => ReceiveItemAsync(item, destination, isInto)).ConfigureAwait(false);
        }

        var here = await FindHereAsync(items, destination, isInto).ConfigureAwait(false);
        var files = items.Where(item => item.Type == 'f' && !here.Contains(item))
            .ToLookup(item => item.Way.Length > 0 && FilePack.Takes(job, job.Paths.Name(item.Path), item.Size)
                && (item.Size > 0 || job.Tools!.TellsEmpty));
        foreach (var item in files[false])
        {
            await job.TryAsync(() => ReceiveItemAsync(item, destination, isInto)).ConfigureAwait(false);
        }

        foreach (var root in files[true].GroupBy(item => item.Root, StringComparer.Ordinal))
        {
            await FilePack.OverlapAsync(
                FilePack.Part(job, root, item => item.Size, item => item.Way),
                pack => job.Tools!.ReceivePackAsync(root.Key, pack, job.CancellationToken),
                (pack, received) => PlaceAsync(pack, received, destination, isInto)).ConfigureAwait(false);
        }

        // The last: no file must go through one.
        foreach (var item in items.Where(item => item.Type == 'l'))
        {
            await job.TryAsync(() => ReceiveItemAsync(item, destination, isInto)).ConfigureAwait(false);
        }

        // The innermost first: what is done in a folder changes its time.
        for (var i = _timedFolders.Count - 1; i >= 0; i--)
        {
            LocalFile.FinishFolder(_timedFolders[i].Path, _timedFolders[i].Modified);
        }
    }

    // Of what is in such a folder nothing more is told.
    private void Refuse(GuestItem item)
    {
        if (item.Way.Length == 0 || LocalName.IsText(job.Paths.Folder(item.Path)))
        {
            job.Options.Failed(ErrorCatalogue.GuestNameUnsafe.With(item.Path, job.Session.Endpoint, LocalName.NoText));
        }
    }

    // The files that are here as they are in the guest, where those are left out.
    private async Task<HashSet<GuestItem>> FindHereAsync(List<GuestItem> items, string destination, bool isInto)
    {
        if (!job.Options.Update)
        {
            return [];
        }

        var same = await FilePair.FindSameAsync(
            job, items.Where(item => item.Type == 'f').Select(item => PairOf(item, destination, isInto)).OfType<FilePair>()).ConfigureAwait(false);
        foreach (var pair in same)
        {
            job.Leave(pair.Item.Path, pair.Length);
        }

        return [.. same.Select(pair => pair.Item)];
    }

    private FilePair? PairOf(GuestItem item, string destination, bool isInto)
    {
        try
        {
            return FilePair.With(item, TargetOf(item, destination, isInto));
        }
        catch (GuestAgentException)
        {
            // It cannot be here, and fails when its turn comes.
            return null;
        }
    }

    // What did not come with the others is received alone.
    private async Task PlaceAsync(
        List<GuestItem> items, IReadOnlyDictionary<GuestItem, ReadOnlyMemory<byte>> received, string destination, bool isInto)
    {
        foreach (var item in items)
        {
            await job.TryAsync(async () =>
            {
                if (received.TryGetValue(item, out var content))
                {
                    var target = TargetOf(item, destination, isInto);
                    await job.CopiedAsync(_files.Place(item, target, content.ToArray())).ConfigureAwait(false);
                }
                else
                {
                    await ReceiveItemAsync(item, destination, isInto).ConfigureAwait(false);
                }
            }).ConfigureAwait(false);
        }
    }

    private string TargetOf(GuestItem item, string destination, bool isInto)
    {
        var names = item.Names;
        var target = isInto ? Contain(destination, job.Paths.Name(item.Root), item) : destination;
        for (var i = 0; i < names.Length; i++)
        {
            // What is in it must not go to another place where it could not be made, as where a link stands there.
            if (!_madeFolders.Contains(target))
            {
                throw ErrorCatalogue.LocalFileNotWritten.With(target, $"'{item.Path}' has no destination folder.");
            }

            target = Contain(target, names[i], item);
        }

        return target;
    }

    private async Task ReceiveItemAsync(GuestItem item, string destination, bool isInto)
    {
        var target = TargetOf(item, destination, isInto);
        switch (item.Type)
        {
            case 'd' when item.Way.Length == 0 && !job.Options.Recurse:
                throw ErrorCatalogue.ItemNeedsRecurse.With(item.Path, job.Session.Endpoint);
            case 'd':
                LocalFile.MakeFolder(target, mayBeLink: item.Way.Length == 0);
                _madeFolders.Add(target);
                if (item.ModifiedTime is { } modified)
                {
                    _timedFolders.Add((target, modified));
                }

                break;
            case 'f':
                var copy = await _files.ReceiveAsync(item, target, isNamed: !isInto && item.Way.Length == 0).ConfigureAwait(false);
                await job.CopiedAsync(copy).ConfigureAwait(false);
                break;
            case 'l' when item.Way.Length > 0:
                if (TreeLink.TargetOf(item, job.Options) is { } link)
                {
                    LocalPlace.MakeLink(target, link, job.Replaces);
                }
                else
                {
                    job.Options.Warn(job.Options.FollowLinks
                        ? $"The link '{item.Path}' in the guest of '{job.Session.Endpoint}' leads nowhere."
                        : TreeLink.NotCopied($"'{item.Path}' in the guest of '{job.Session.Endpoint}'", item.Target, !job.Paths.IsWindows));
                }

                break;
            case 'u':
                throw ErrorCatalogue.GuestFileNotRead.With(item.Path, job.Session.Endpoint, "its content cannot be listed.");
            default:
                throw ErrorCatalogue.ItemNotFile.With(item.Path, $"in the guest of '{job.Session.Endpoint}'");
        }
    }

    private string Contain(string folder, string name, GuestItem item) =>
        LocalName.Refuse(name, IsWindowsHere) is { } reason
            ? throw ErrorCatalogue.GuestNameUnsafe.With(item.Path, job.Session.Endpoint, reason)
            : Path.Combine(folder, name);
}
