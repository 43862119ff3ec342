using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>Sends items with what is in them.</summary>
internal sealed class TreeSender(CopyJob job)
{
    private readonly PackSender _files = new(job);

    /// <summary>Sends items of this computer.</summary>
    public async Task SendAsync(IReadOnlyList<string> sources, string destination)
    {
        LocalName.CheckPath(destination, job.Paths, isPattern: false, job.Session.Endpoint);
        if (job.Tools is null)
        {
            var open = job.Platform.OpensNewFilesToAll ? "are readable and writable by everyone if they are new, " : "";
            job.Options.Warn(
                $"In the guest of '{job.Session.Endpoint}' files are written in place, without mode and time, {open}and are compared by "
                + $"length: {job.ToolsMissingReason}.");
        }

        var isInto = await IsFolderAsync(destination).ConfigureAwait(false);
        if (!isInto && (sources.Count > 1 || job.Paths.EndsAsFolder(destination)))
        {
            throw ErrorCatalogue.GuestItemNotFound.With(destination, job.Session.Endpoint);
        }

        var trees = sources.Select(source => LocalTree.Read(source, job.Options)).ToList();
        job.TotalBytes = trees.Sum(tree => tree.Bytes);
        job.TotalFiles = trees.Sum(tree => tree.Files.Count);
        var root = isInto ? destination : job.Paths.Folder(destination);
        foreach (var tree in trees)
        {
            var name = isInto ? tree.Name : job.Paths.Name(destination);
            await job.TryAsync(() => SendTreeAsync(tree, root, name)).ConfigureAwait(false);
        }
    }

    // Without tools a folder shows only by its opening and not being read; and in a Windows guest by its end alone.
    private async Task<bool> IsFolderAsync(string path)
    {
        if (job.Tools is { } tools)
        {
            var items = await tools.ListAsync(path, isPattern: false, isDeep: false, followsLinks: false, job.CancellationToken).ConfigureAwait(false);
            return items.Exists(item => item.Type == 'd');
        }

        if (job.Paths.EndsAsFolder(path))
        {
            return true;
        }

        try
        {
            await using var file = await job.OpenAsync(path, "r").ConfigureAwait(false);
            await file.ReadAsync(job.Buffers[0], 1, job.CancellationToken).ConfigureAwait(false);
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.GuestFileNotOpened))
        {
            // It is not there, so it is no folder.
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.GuestFileNotRead))
        {
            return true;
        }

        return false;
    }

    // Only the root was named by the user: below it no link of the guest is followed.
    private async Task SendTreeAsync(LocalTree tree, string root, string name)
    {
        string Way(string[] names) => job.Paths.Way([name, .. names]);

        // Before anything is sent.
        var folders = await AllowedAsync(tree.Folders, root, name).ConfigureAwait(false);
        var files = await AllowedAsync(tree.Files, root, name).ConfigureAwait(false);
        files = job.Options.Update ? await ChangedAsync(files, root, name).ConfigureAwait(false) : files;
        Dictionary<string, string> made = [];
        if (folders.Count > 0)
        {
            var tools = job.Tools ?? throw ErrorCatalogue.GuestToolsMissing.WithTarget(
                tree.Path, "Creating a folder", job.Session.Endpoint, job.ToolsMissingReason);
            made = await tools.MakeFoldersAsync(root, [.. folders.Select(folder => Way(folder.Names))], job.CancellationToken)
                .ConfigureAwait(false);
        }

        await _files.SendAsync(files, root, name).ConfigureAwait(false);
        await SendLinksAsync(tree.Links, root, name).ConfigureAwait(false);

        // The innermost first: what is done in a folder changes its time.
        var finished = folders.AsEnumerable().Reverse()
            .Where(folder => made.ContainsKey(Way(folder.Names)))
            .Select(folder => (Way: Way(folder.Names), Attributes: LocalFile.FolderAttributes(folder.Path)))
            .Select(folder => (made[folder.Way], folder.Way, folder.Attributes.Mode, folder.Attributes.Modified)).ToList();
        if (finished.Count > 0)
        {
            foreach (var way in await job.Tools!.FinishFoldersAsync(root, finished, job.CancellationToken).ConfigureAwait(false))
            {
                job.Options.Warn(
                    $"'{job.Paths.Join(root, way)}' in the guest of '{job.Session.Endpoint}' did not get the time and "
                    + "mode of its source.");
            }
        }
    }

    // The last: no file must go through one.
    private async Task SendLinksAsync(IReadOnlyList<(LocalItem Item, string Target)> links, string root, string name)
    {
        if (job.Tools is { MakesLinks: true } tools && links.Count > 0)
        {
            var made = await tools.MakeLinksAsync(
                root, [.. links.Select(link => (job.Paths.Way([name, .. link.Item.Names]), link.Target))], job.Replaces, job.CancellationToken)
                .ConfigureAwait(false);
            foreach (var failure in made)
            {
                job.Options.Failed(failure);
            }

            return;
        }

        foreach (var (item, target) in links)
        {
            job.Options.Warn(TreeLink.NotCopied($"'{item.Path}'", target));
        }
    }

    // Those that are not in the guest as they are here.
    private async Task<List<LocalItem>> ChangedAsync(List<LocalItem> files, string root, string name)
    {
        var tools = job.Tools ?? throw ErrorCatalogue.GuestToolsMissing.WithTarget(
            name, "Comparing what is there", job.Session.Endpoint, job.ToolsMissingReason);
        var there = (await tools.ListAsync(
                job.Paths.Join(root, name), isPattern: false, isDeep: true, followsLinks: false, job.CancellationToken).ConfigureAwait(false))
            .Where(item => item.Type == 'f')
            .ToLookup(item => item.Way, job.Paths.IsWindows ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
        var same = await FilePair.FindSameAsync(job, files.SelectMany(file => there[job.Paths.Way(file.Names)]
            .Select(item => new FilePair(item, file.Path, file.Length, file.Modified)))).ConfigureAwait(false);
        var left = new HashSet<string>(same.Select(pair => pair.Path), StringComparer.Ordinal);
        foreach (var pair in same)
        {
            job.Leave(pair.Path, pair.Length);
        }

        return files.FindAll(file => !left.Contains(file.Path));
    }

    // Those whose names the guest's system has no objection to; each of the others fails, but what is in a folder only with it.
    private async Task<List<LocalItem>> AllowedAsync(
        IReadOnlyList<LocalItem> items, string root, string name)
    {
        var allowed = new List<LocalItem>();
        foreach (var item in items)
        {
            string[] names = [name, .. item.Names];
            if (!job.Paths.IsWindows || !names.Take(names.Length - 1).Any(above => LocalName.Refuse(above, isWindows: true) is not null))
            {
                await job.TryAsync(() =>
                {
                    LocalName.CheckName(names[names.Length - 1], job.Paths.Join(root, names), job.Paths, job.Session.Endpoint);
                    allowed.Add(item);
                    return Task.CompletedTask;
                }).ConfigureAwait(false);
            }
        }

        return allowed;
    }
}
