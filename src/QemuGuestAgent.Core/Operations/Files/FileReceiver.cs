using System.Diagnostics;
using System.Security.Cryptography;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;

namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>Receives files from a guest, one after the other.</summary>
internal sealed class FileReceiver(CopyJob job)
{
    // What has no length before it is read (as in /proc) ends here at the latest.
    private const long MaxUnknown = 64 << 20;

    // From here on the guest computes its checksum while the file comes: for shorter ones that takes no longer than to ask.
    private const long EarlyHash = 4 << 20;

    private long _received;

    /// <summary>Receives a file, whole or not at all.</summary>
    /// <param name="item">The file in the guest.</param>
    /// <param name="target">Where it goes.</param>
    /// <param name="isNamed">Whether the user has named the target: then it may be a link.</param>
    public async Task<ItemCopy> ReceiveAsync(GuestItem item, string target, bool isNamed)
    {
        var started = job.Elapsed;
        var source = item.Path;
        target = Path.GetFullPath(target);
        LocalFile.CheckTarget(target, job.Replaces);
        var place = LocalFile.Write(target, () => LocalPlace.Follow(target, isNamed));
        var name = Path.GetFileName(place);
        var folder = place.Substring(0, place.Length - name.Length);
        var path = folder + PartialName.Create(name, await job.NextHandleAsync(source).ConfigureAwait(false));
        FileStream? local = null;
        var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        try
        {
            local = LocalFile.Create(path);
            var resumed = 0L;
            long length;
            CopyVerification verified;
            string digest;
            await using (var file = await job.OpenAsync(source, "r").ConfigureAwait(false))
            {
                path = Rename(path, folder, name, file.Handle);
                var size = await file.SeekEndAsync(job.CancellationToken).ConfigureAwait(false);
                if ((job.Options.Resume || job.Tools is { LocksOpenFiles: true })
                    && await ResumeAsync(item, folder, name, path).ConfigureAwait(false) is { } left)
                {
                    local.Dispose();
                    hash.Dispose();
                    (local, hash, resumed) = (left.Local, left.Hash, left.Local.Length);
                    TakeOver(left.Path, path);
                    job.Advance(source, resumed);
                }

                CheckSize(size, resumed, source, folder);
                await file.SeekAsync(resumed, job.CancellationToken).ConfigureAwait(false);
                using var stop = CancellationTokenSource.CreateLinkedTokenSource(job.CancellationToken);
                var early = size >= EarlyHash && job.Tools is { TellsChanges: true }
                    ? job.HashHeldAsync(item, size, stop.Token)
                    : null;
                try
                {
                    length = resumed + await PumpAsync(file, local, path, hash, size > 0 ? size - resumed : null).ConfigureAwait(false);
                    if (length < size)
                    {
                        throw ErrorCatalogue.ItemChanged.With(source, job.Session.Endpoint);
                    }
                }
                catch (Exception e) when (early is not null)
                {
                    stop.Cancel();
                    await Task.WhenAny(early).ConfigureAwait(false);
                    CopyJob.ThrowReason(e, early);
                    throw;
                }

                digest = PartialName.Hex(hash.GetHashAndReset());
                verified = await VerifyAsync(item, file, early, isMadeWhenRead: size == 0 && length > 0, length, digest).ConfigureAwait(false);
            }

            var isAtomic = LocalFile.Finish(local, path, place, job.Replaces, item.Mode, item.ModifiedTime);
            return new ItemCopy(source, target, length, digest, verified, isAtomic, resumed, job.Elapsed - started);
        }
        catch (Exception e) when (!job.LeavesPartial(e) && !job.MayLeaveLock(e))
        {
            local?.Dispose();
            LocalFile.Remove(path);
            throw;
        }
        finally
        {
            local?.Dispose();
            hash.Dispose();
        }
    }

    /// <summary>Gives the content of a file of a folder, which has come with that of others and is verified, its place.</summary>
    public ItemCopy Place(GuestItem item, string target, byte[] content)
    {
        target = Path.GetFullPath(target);
        LocalFile.CheckTarget(target, job.Replaces);
        LocalFile.Write(target, () => LocalPlace.Follow(target, isNamed: false));
        var name = Path.GetFileName(target);
        var folder = target.Substring(0, target.Length - name.Length);
        CheckSize(content.Length, 0, item.Path, folder);
        var path = folder + PartialName.Create(name, 0);
        using var local = LocalFile.Create(path);
        bool isAtomic;
        try
        {
            LocalFile.Write(path, () =>
            {
                local.Write(content, 0, content.Length);
                return true;
            });
            isAtomic = LocalFile.Finish(local, path, target, job.Replaces, item.Mode, item.ModifiedTime);
        }
        catch (Exception)
        {
            local.Dispose();
            LocalFile.Remove(path);
            throw;
        }

        job.Advance(item.Path, content.Length);
        return new ItemCopy(item.Path, target, content.Length, PartialName.HashOf(content), CopyVerification.Sha256, isAtomic, 0, job.Turn());
    }

    // Finds the longest part that an earlier copy has left and that the source begins with, if it is to be gone on with; all others are
    // removed, but for those of other users.
    private async Task<(FileStream Local, string Path, IncrementalHash Hash)?> ResumeAsync(
        GuestItem item, string folder, string name, string ownPath)
    {
        var lefts = new List<(FileStream Local, string Path)>();
        (FileStream, string, IncrementalHash)? found = null;
        try
        {
            foreach (var path in FindPartials(folder, name).Where(path => path != ownPath))
            {
                if (LocalFile.Reopen(path) is { } local)
                {
                    lefts.Add((local, path));
                }
                else
                {
                    job.Options.Warn($"'{path}' is left alone: it is in use, or does not belong to this user alone.");
                }
            }

            foreach (var (local, path) in lefts.OrderByDescending(left => left.Local.Length))
            {
                await job.CloseLeftAsync(PartialName.HandleIn(path.Substring(folder.Length), name)!.Value).ConfigureAwait(false);
                if (job.Options.Resume && found is null && local.Length > 0 && job.Tools is { HasChecksum: true })
                {
                    var (incremental, start) = LocalFile.HashStart(local, path, local.Length, job.Buffers[0]);
                    if ((await job.HashHeldAsync(item, local.Length, job.CancellationToken).ConfigureAwait(false)).Hash == start)
                    {
                        found = (local, path, incremental);
                        continue;
                    }

                    incremental.Dispose();
                }

                local.Dispose();
                LocalFile.Remove(path);
            }

            return found;
        }
        finally
        {
            foreach (var (local, _) in lefts.Where(left => left.Local != found?.Item1))
            {
                local.Dispose();
            }
        }
    }

    private static List<string> FindPartials(string folder, string name) => LocalFile.Write(folder, () =>
        Directory.EnumerateFiles(folder, "*" + PartialName.Suffix)
            .Where(path => PartialName.HandleIn(path.Substring(folder.Length), name) is not null).ToList());

    private static void TakeOver(string left, string path) => LocalFile.Write(path, () =>
    {
        File.Delete(path);
        File.Move(left, path);
        return true;
    });

    // Where somebody else has opened a file in between, the name tells another handle.
    private static string Rename(string path, string folder, string name, long handle)
    {
        if (PartialName.HandleIn(path.Substring(folder.Length), name) == handle)
        {
            return path;
        }

        var right = folder + PartialName.Create(name, handle);
        return LocalFile.Write(path, () =>
        {
            File.Move(path, right);
            return right;
        });
    }

    private void CheckSize(long size, long resumed, string source, string folder)
    {
        // What an earlier copy has left has its room already.
        var bound = job.Options.MaximumSize - _received;
        if (LocalFile.Room(folder) + resumed is { } room && !(bound < room))
        {
            bound = room;
        }

        if (size > bound)
        {
            throw ErrorCatalogue.ItemTooLarge.With(source, job.Session.Endpoint, bound);
        }

        _received += size;
    }

    // Returns how many bytes came. A piece is written while the agent reads the next one.
    private async Task<long> PumpAsync(GuestFile file, FileStream local, string path, IncrementalHash hash, long? size)
    {
        local.Position = local.Length;
        var bound = size ?? MaxUnknown;
        var received = 0L;
        var writing = Task.CompletedTask;
        try
        {
            for (var turn = 0; received < bound; turn ^= 1)
            {
                var buffer = job.Buffers[turn];
                var wanted = (int)Math.Min(job.Pieces.Current, bound - received);
                var started = Stopwatch.StartNew();
                var count = await file.ReadAsync(buffer, wanted, job.CancellationToken).ConfigureAwait(false);
                await writing.ConfigureAwait(false);
                if (count == 0)
                {
                    return received;
                }

                writing = Task.Run(() => Write(buffer, count));
                if (count == wanted)
                {
                    job.Pieces.Took(count, started.Elapsed);
                }

                received += count;
                job.Advance(file.Path, count);
            }

            await writing.ConfigureAwait(false);
            return size is null
                ? throw ErrorCatalogue.ItemTooLarge.With(file.Path, job.Session.Endpoint, bound)
                : received;
        }
        finally
        {
            // Nothing goes on behind the caller's back.
            await Task.WhenAny(writing).ConfigureAwait(false);
        }

        void Write(byte[] buffer, int count)
        {
            hash.AppendData(buffer, 0, count);
            LocalFile.Write(path, () =>
            {
                SparseFile.Write(local, buffer, count);
                local.Flush();
                return true;
            });
        }
    }

    // Below its root, what was read must be what stands there: it may have been exchanged for a link in between.
    private async Task<CopyVerification> VerifyAsync(
        GuestItem item, GuestFile file, Task<(string Hash, string State)>? early, bool isMadeWhenRead, long length, string digest)
    {
        if (job.Tools is { HasChecksum: true } && !isMadeWhenRead)
        {
            // One that was computed meanwhile says nothing of a file that has changed since then.
            var told = early is null ? default : await early.ConfigureAwait(false);
            if (early is null || (await job.HashHeldAsync(item, null, job.CancellationToken).ConfigureAwait(false)).State != told.State)
            {
                told = await job.HashHeldAsync(item, length, job.CancellationToken).ConfigureAwait(false);
            }

            return told.Hash == digest
                ? CopyVerification.Sha256
                : throw ErrorCatalogue.ItemNotVerified.With(item.Path, job.Session.Endpoint);
        }

        if (item.Way.Length > 0)
        {
            await job.HashHeldAsync(item, null, job.CancellationToken).ConfigureAwait(false);
        }

        return isMadeWhenRead
            ? CopyVerification.None
            : await job.ReadBackAsync(file, length, digest, item.Path).ConfigureAwait(false);
    }
}
