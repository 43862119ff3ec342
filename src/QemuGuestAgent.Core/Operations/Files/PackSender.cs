using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;

namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>Sends files to a guest: small ones together, where its tools can take them, and all others one by one.</summary>
internal sealed class PackSender(CopyJob job)
{
    private readonly FileSender _files = new(job);

    /// <summary>Sends files; each that fails is reported.</summary>
    /// <param name="files">The files here.</param>
    /// <param name="root">The folder of the guest that was named.</param>
    /// <param name="name">The first name on each way from there.</param>
    public async Task SendAsync(IEnumerable<LocalItem> files, string root, string name)
    {
        // What an earlier copy has left of the one file that was named is looked for.
        var packed = files.ToLookup(file => file.Names.Length > 0
            ? FilePack.Takes(job, file.Names[file.Names.Length - 1], file.Length)
            : !job.Options.Resume && FilePack.Takes(job, name, file.Length));
        var packs = FilePack.Part(job, packed[true], file => file.Length, file => string.Join("/", file.Names));
        await FilePack.OverlapAsync(packs, pack => SendPackAsync(pack, root, name), (_, sent) => TellAsync(sent, root, name)).ConfigureAwait(false);
        foreach (var file in packed[false])
        {
            await SendAloneAsync(file.Path, file.Names, root, name).ConfigureAwait(false);
        }
    }

    private async Task<List<(string Path, string[] Names, PackedFile? Sent, string? Missing)>> SendPackAsync(
        List<LocalItem> files, string root, string name)
    {
        var read = files.ConvertAll(file => (file.Path, file.Names, File: Read(file.Path, [name, .. file.Names])));
        var taken = await TryPackAsync([.. read.Select(file => file.File).OfType<PackedFile>()], root, name).ConfigureAwait(false);
        return read.ConvertAll(file => file.File is { } sent && taken.TryGetValue(sent, out var missing)
            ? (file.Path, file.Names, (PackedFile?)sent, missing)
            : (file.Path, file.Names, null, null));
    }

    // What the guest did not take with the others is sent alone, and fails with its own error.
    private async Task TellAsync(List<(string Path, string[] Names, PackedFile? Sent, string? Missing)> files, string root, string name)
    {
        foreach (var (path, names, sent, missing) in files)
        {
            if (sent is null)
            {
                await SendAloneAsync(path, names, root, name).ConfigureAwait(false);
                continue;
            }

            var (target, length) = (job.Paths.Join(root, [name, .. names]), sent.Content.Length);
            job.Advance(path, length);
            job.WarnOfMissing(target, missing);
            await job.CopiedAsync(new ItemCopy(
                path, target, length, sent.Hash, CopyVerification.Sha256, true, 0, job.Turn())).ConfigureAwait(false);
        }
    }

    private async Task<IReadOnlyDictionary<PackedFile, string?>> TryPackAsync(IReadOnlyList<PackedFile> files, string root, string name)
    {
        try
        {
            return files.Count == 0
                ? new Dictionary<PackedFile, string?>()
                : await job.Tools!.SendPackAsync(root, name, files, job.Replaces, job.CancellationToken).ConfigureAwait(false);
        }
        catch (GuestAgentException e) when (CopyJob.IsOfItem(e))
        {
            return new Dictionary<PackedFile, string?>();
        }
    }

    private Task SendAloneAsync(string path, string[] names, string root, string name) => job.TryAsync(async () =>
    {
        var copy = await _files.SendAsync(path, root, [name, .. names]).ConfigureAwait(false);
        await job.CopiedAsync(copy).ConfigureAwait(false);
    });

    // Null where it cannot be read, or is longer by now.
    private PackedFile? Read(string path, string[] names)
    {
        try
        {
            using var local = LocalFile.OpenRead(path);
            var content = new byte[(int)Math.Min(local.Length, FilePack.MaxFile) + 1];
            var length = 0;
            while (length < content.Length && LocalFile.Read(local, path, content, length, content.Length - length) is var count and > 0)
            {
                length += count;
            }

            if (length == content.Length)
            {
                return null;
            }

            Array.Resize(ref content, length);
            var (mode, modified) = LocalFile.Attributes(local, path);
            return new PackedFile(
                job.Paths.Way(names.Take(names.Length - 1)), names[names.Length - 1], content, PartialName.HashOf(content), mode, modified);
        }
        catch (GuestAgentException)
        {
            return null;
        }
    }
}
