using System.Diagnostics;
using System.Security.Cryptography;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;

namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>Sends files to a guest, one after the other.</summary>
internal sealed class FileSender(CopyJob job)
{
    /// <summary>Sends a file, whole or not at all where the guest has the tools for that.</summary>
    /// <param name="source">The file here.</param>
    /// <param name="root">The folder of the guest that was named.</param>
    /// <param name="names">The names on the way from there, and the file's own.</param>
    public async Task<ItemCopy> SendAsync(string source, string root, string[] names)
    {
        var started = job.Elapsed;
        using var local = LocalFile.OpenRead(source);
        var way = job.Paths.Way(names.Take(names.Length - 1));
        var copy = job.Tools is { } tools
            ? await SendAsideAsync(source, local, new GuestTarget(job.Paths, root, way, names[names.Length - 1]), tools).ConfigureAwait(false)
            : await SendInPlaceAsync(source, local, job.Paths.Join(root, names)).ConfigureAwait(false);
        copy.Duration = job.Elapsed - started;
        return copy;
    }

    private async Task<ItemCopy> SendAsideAsync(string source, FileStream local, GuestTarget target, GuestFileTools tools)
    {
        var handle = await job.NextHandleAsync(tools.Readable).ConfigureAwait(false);
        var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var part = tools.CreatePart(target, handle);
        try
        {
            var resumed = 0L;
            if (job.Options.Resume && await ResumeAsync(source, local, target, handle, tools).ConfigureAwait(false) is { } left)
            {
                hash.Dispose();
                (part, hash, resumed) = (left.Part, left.Hash, left.Part.Length);
            }
            else
            {
                await part.MakeAsync(job.Replaces, job.CancellationToken).ConfigureAwait(false);
                if (part.HasOthers)
                {
                    await RemoveLeftAsync(target, part, tools).ConfigureAwait(false);
                }
            }

            long length;
            await using (var file = await job.OpenAsync(part.Path, "r+").ConfigureAwait(false))
            {
                await part.OpenedAsync(file.Handle, job.CancellationToken).ConfigureAwait(false);
                if (resumed > 0)
                {
                    await file.SeekAsync(resumed, job.CancellationToken).ConfigureAwait(false);
                }

                length = resumed + await PumpAsync(source, local, resumed, file, hash, isNew: true).ConfigureAwait(false);
                await file.CompleteAsync(job.CancellationToken).ConfigureAwait(false);
            }

            var digest = PartialName.Hex(hash.GetHashAndReset());
            var verified = tools.HasChecksum
                ? CopyVerification.Sha256
                : await job.CompareAsync(part.Path, length, digest, target.Path).ConfigureAwait(false);
            var taken = await part.FinishAsync(job.Replaces, digest, LocalFile.Attributes(local, source), job.CancellationToken)
                .ConfigureAwait(false);
            job.WarnOfMissing(target.Path, taken.Missing);
            return new ItemCopy(source, target.Path, length, digest, verified, taken.IsAtomic, resumed, default);
        }
        catch (Exception e) when (!job.LeavesPartial(e))
        {
            await part.RemoveAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            hash.Dispose();
        }
    }

    // Without tools there is no temporary file: what has another name could not be renamed, and what is broken not be removed.
    private async Task<ItemCopy> SendInPlaceAsync(string source, FileStream local, string target)
    {
        if (!job.Replaces && await IsThereAsync(target).ConfigureAwait(false))
        {
            throw ErrorCatalogue.ItemExists.With(target, $"in the guest of '{job.Session.Endpoint}'", "");
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var file = await job.OpenAsync(target, "w").ConfigureAwait(false);
        try
        {
            var length = await PumpAsync(source, local, 0, file, hash, isNew: false).ConfigureAwait(false);
            await file.CompleteAsync(job.CancellationToken).ConfigureAwait(false);
            var digest = PartialName.Hex(hash.GetHashAndReset());
            var verified = await job.CompareAsync(target, length, digest, target).ConfigureAwait(false);
            return new ItemCopy(source, target, length, digest, verified, false, 0, default);
        }
        catch (Exception)
        {
            job.Options.Warn($"'{target}' in the guest of '{job.Session.Endpoint}' is left incomplete: it cannot be removed there.");
            throw;
        }
    }

    private async Task<bool> IsThereAsync(string path)
    {
        try
        {
            await using var file = await job.OpenAsync(path, "r").ConfigureAwait(false);
            return true;
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.GuestFileNotOpened))
        {
            return false;
        }
    }

    // Takes over the longest part that an earlier copy has left and that the source begins with; all others are removed, but for those
    // of other users.
    private async Task<(GuestPart Part, IncrementalHash Hash)?> ResumeAsync(
        string source, FileStream local, GuestTarget target, long handle, GuestFileTools tools)
    {
        var parts = await FindLeftAsync(target, null, tools).ConfigureAwait(false);
        if (parts.Count > 0)
        {
            // What the agent still held back of it has come with the close.
            (parts, _) = await tools.FindPartsAsync(target, job.CancellationToken).ConfigureAwait(false);
        }

        (GuestPart, IncrementalHash)? found = null;
        foreach (var part in parts)
        {
            if (found is null && part.Handle is not null && part.Length > 0 && part.Length <= local.Length)
            {
                var (incremental, start) = LocalFile.HashStart(local, source, part.Length, job.Buffers[0]);
                if (start == part.Hash)
                {
                    await part.AdoptAsync(handle, job.Replaces, job.CancellationToken).ConfigureAwait(false);
                    job.Advance(source, part.Length);
                    found = (part, incremental);
                    continue;
                }

                incremental.Dispose();
            }

            await part.RemoveAsync().ConfigureAwait(false);
        }

        return found;
    }

    // Where a file that is left open is locked, it is not left there.
    private async Task RemoveLeftAsync(GuestTarget target, GuestPart own, GuestFileTools tools)
    {
        foreach (var part in await FindLeftAsync(target, own, tools).ConfigureAwait(false))
        {
            await part.RemoveAsync().ConfigureAwait(false);
        }
    }

    // What earlier copies have left, and which the agent no longer holds open then.
    private async Task<List<GuestPart>> FindLeftAsync(GuestTarget target, GuestPart? own, GuestFileTools tools)
    {
        var (parts, foreign) = await tools.FindPartsAsync(target, job.CancellationToken).ConfigureAwait(false);
        foreach (var folder in foreign)
        {
            job.Options.Warn(
                $"'{folder}' beside '{target.Path}' in the guest of '{job.Session.Endpoint}' is left alone: it does not belong to the agent alone.");
        }

        parts.RemoveAll(part => part.Folder == own?.Folder);
        foreach (var left in parts.Select(part => part.Handle).OfType<long>())
        {
            await job.CloseLeftAsync(left).ConfigureAwait(false);
        }

        return parts;
    }

    // Returns how many bytes were sent. A piece is read while the agent writes the one before. Where the file is new, nothing is written of
    // pieces of zeros: but for the last byte, which gives it its length.
    private async Task<long> PumpAsync(string source, FileStream local, long from, GuestFile file, IncrementalHash hash, bool isNew)
    {
        local.Position = from;
        var sent = 0L;
        var isInHole = false;
        var reading = Task.FromResult(Read(job.Buffers[0]));
        try
        {
            for (var turn = 0; await reading.ConfigureAwait(false) is var count and > 0; turn ^= 1)
            {
                var piece = job.Buffers[turn].AsMemory(0, count);
                var next = job.Buffers[turn ^ 1];
                reading = Task.Run(() => Read(next));
                var isHole = isNew && SparseFile.IsHole(piece.Span);
                if (!isHole)
                {
                    if (isInHole)
                    {
                        await file.SeekAsync(from + sent, job.CancellationToken).ConfigureAwait(false);
                    }

                    var started = Stopwatch.StartNew();
                    await file.WriteAsync(piece, job.CancellationToken).ConfigureAwait(false);
                    job.Pieces.Took(count, started.Elapsed);
                }

                isInHole = isHole;
                sent += count;
                job.Advance(source, count);
            }
        }
        finally
        {
            // Nothing goes on behind the caller's back.
            await Task.WhenAny(reading).ConfigureAwait(false);
        }

        if (isInHole)
        {
            await file.SeekAsync(from + sent - 1, job.CancellationToken).ConfigureAwait(false);
            await file.WriteAsync(new byte[1], job.CancellationToken).ConfigureAwait(false);
        }

        return sent;

        int Read(byte[] buffer)
        {
            var count = LocalFile.Read(local, source, buffer, job.Pieces.Current);
            hash.AppendData(buffer, 0, count);
            return count;
        }
    }
}
