using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;

namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>Sends items with what is in them.</summary>
internal sealed class TreeSender(CopyJob job)
{
    private readonly FileSender _files = new(job);

    /// <summary>Sends items of this computer.</summary>
    public async Task SendAsync(IReadOnlyList<string> sources, string destination)
    {
        if (!job.Paths.IsRooted(destination))
        {
            throw ErrorCatalogue.GuestPathNotRooted.With(destination, job.Session.Endpoint);
        }

        if (job.Tools is null)
        {
            job.Options.Warn(
                $"In the guest of '{job.Session.Endpoint}' files are written in place, without mode and time, are readable and "
                + $"writable by everyone if they are new, and are compared by length: {job.ToolsMissingReason}.");
        }

        var isInto = await IsFolderAsync(destination).ConfigureAwait(false);
        if (!isInto && (sources.Count > 1 || job.Paths.EndsAsFolder(destination)))
        {
            throw ErrorCatalogue.GuestItemNotFound.With(destination, job.Session.Endpoint);
        }

        var trees = sources.Select(source => LocalTree.Read(source, job.Options)).ToList();
        job.TotalBytes = trees.Sum(tree => tree.Bytes);
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
            var items = await tools.ListAsync(path, isPattern: false, isDeep: false, job.CancellationToken).ConfigureAwait(false);
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
        string Way(string[] names) => string.Join("/", [name, .. names]);

        Dictionary<string, string> made = [];
        if (tree.Folders.Count > 0)
        {
            var tools = job.Tools ?? throw ErrorCatalogue.GuestToolsMissing.WithTarget(
                tree.Path, "Creating a folder", job.Session.Endpoint, job.ToolsMissingReason);
            made = await tools.MakeFoldersAsync(root, [.. tree.Folders.Select(folder => Way(folder.Names))], job.CancellationToken)
                .ConfigureAwait(false);
        }

        foreach (var file in tree.Files)
        {
            await job.TryAsync(async () =>
            {
                var copy = await _files.SendAsync(file.Path, root, [name, .. file.Names]).ConfigureAwait(false);
                await job.Options.Copied(copy).ConfigureAwait(false);
            }).ConfigureAwait(false);
        }

        // The innermost first: what is done in a folder changes its time.
        var finished = tree.Folders.AsEnumerable().Reverse()
            .Where(folder => made.ContainsKey(Way(folder.Names)))
            .Select(folder => (Way: Way(folder.Names), Attributes: LocalFile.FolderAttributes(folder.Path)))
            .Select(folder => (made[folder.Way], folder.Way, folder.Attributes.Mode, folder.Attributes.Modified)).ToList();
        if (finished.Count > 0)
        {
            foreach (var way in await job.Tools!.FinishFoldersAsync(root, finished, job.CancellationToken).ConfigureAwait(false))
            {
                job.Options.Warn(
                    $"'{GuestPath.Posix.Join(root, way)}' in the guest of '{job.Session.Endpoint}' did not get the time and "
                    + "mode of its source.");
            }
        }
    }
}
