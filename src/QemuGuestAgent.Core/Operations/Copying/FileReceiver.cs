using System.Diagnostics;
using System.Security.Cryptography;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Operations.Copying;

/// <summary>Receives files from a guest, one after the other.</summary>
internal sealed class FileReceiver(CopyJob job)
{
    // What has no length before it is read (as in /proc) ends here at the latest.
    private const long LongestUnknown = 64 << 20;

    private long _received;

    /// <summary>Receives a file, whole or not at all.</summary>
    /// <param name="source">The file in the guest.</param>
    /// <param name="target">Where it goes.</param>
    /// <param name="item">What the guest's tools told of it; null without them.</param>
    public async Task<ItemCopy> ReceiveAsync(string source, string target, GuestItem? item)
    {
        var started = job.Elapsed;
        target = Path.GetFullPath(target);
        LocalFile.CheckTarget(target, job.Options.Force);
        var name = Path.GetFileName(target);
        var folder = target.Substring(0, target.Length - name.Length);
        var path = folder + PartialName.Create(name, await job.NextHandleAsync(source).ConfigureAwait(false));
        try
        {
            var (local, hash, resumed) = await BeginAsync(source, folder, name, path).ConfigureAwait(false);
            long length;
            CopyVerification verified;
            string digest;
            using (local)
            using (hash)
            await using (var file = await job.OpenAsync(source, "r").ConfigureAwait(false))
            {
                path = Rename(path, folder, name, file.Handle);
                var size = await file.SeekEndAsync(job.Stop).ConfigureAwait(false);
                Admit(size, resumed, source, folder);
                await file.SeekAsync(resumed, job.Stop).ConfigureAwait(false);
                length = resumed + await PumpAsync(file, local, hash, size > 0 ? size - resumed : null).ConfigureAwait(false);
                if (length < size)
                {
                    throw ErrorCatalogue.ItemChanged.With(source, source, job.Session.Endpoint);
                }

                digest = PartialName.Hex(hash.GetHashAndReset());
                verified = size == 0 && length > 0
                    ? CopyVerification.None
                    : await VerifyAsync(file, length, digest, source).ConfigureAwait(false);
            }

            LocalFile.Finish(path, target, job.Options.Force, item?.Mode ?? 0, item?.ModifiedTime);
            return new ItemCopy(source, target, length, digest, verified, true, resumed, job.Elapsed - started);
        }
        catch (Exception e) when (!job.LeavesPartial(e))
        {
            LocalFile.Remove(path);
            throw;
        }
    }

    // A new file, or the longest part that an earlier copy has left and that the source begins with; all others are removed.
    private async Task<(FileStream Local, IncrementalHash Hash, long Resumed)> BeginAsync(
        string source, string folder, string name, string path)
    {
        var lefts = job.Options.Resume ? FindPartials(folder, name) : [];
        foreach (var left in lefts)
        {
            await job.CloseLeftAsync(PartialName.HandleIn(left.Name, name)!.Value).ConfigureAwait(false);
        }

        (FileStream, IncrementalHash, long)? begun = null;
        foreach (var left in lefts)
        {
            if (begun is null && left.Length > 0 && job.Tools is { HasChecksum: true } tools)
            {
                var local = LocalFile.Reopen(left.FullName);
                var (goesOn, start) = LocalFile.HashStart(local, left.Length, job.Buffers[0]);
                if (await tools.HashAsync(source, left.Length, job.Stop).ConfigureAwait(false) == start)
                {
                    LocalFile.Write(path, () =>
                    {
                        File.Move(left.FullName, path);
                        return true;
                    });
                    job.Advance(source, left.Length);
                    begun = (local, goesOn, left.Length);
                    continue;
                }

                goesOn.Dispose();
                local.Dispose();
            }

            LocalFile.Remove(left.FullName);
        }

        return begun ?? (LocalFile.Create(path), IncrementalHash.CreateHash(HashAlgorithmName.SHA256), 0);
    }

    private static List<FileInfo> FindPartials(string folder, string name) => LocalFile.Write(folder, () =>
        new DirectoryInfo(folder).EnumerateFiles("*" + PartialName.Suffix)
            .Where(file => PartialName.HandleIn(file.Name, name) is not null && !file.Attributes.HasFlag(FileAttributes.ReparsePoint))
            .OrderByDescending(file => file.Length).ToList());

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

    private void Admit(long size, long resumed, string source, string folder)
    {
        // What an earlier copy has left has its room already.
        var bound = job.Options.MaximumSize - _received;
        if (LocalFile.Room(folder) + resumed is { } room && !(bound < room))
        {
            bound = room;
        }

        if (size > bound)
        {
            throw ErrorCatalogue.ItemTooLarge.With(source, source, job.Session.Endpoint, bound);
        }

        _received += size;
    }

    // Returns how many bytes came. A piece is written while the agent reads the next one.
    private async Task<long> PumpAsync(GuestFile file, FileStream local, IncrementalHash hash, long? size)
    {
        local.Position = local.Length;
        var bound = size ?? LongestUnknown;
        var received = 0L;
        var last = new ArraySegment<byte>([]);
        for (var turn = 0; received < bound; turn ^= 1)
        {
            var wanted = (int)Math.Min(job.Pieces.Current, bound - received);
            var started = Stopwatch.StartNew();
            var count = await file.ReadAsync(job.Buffers[turn], wanted, job.Stop, WriteLast).ConfigureAwait(false);
            last = new ArraySegment<byte>(job.Buffers[turn], 0, count);
            if (count == 0)
            {
                return received;
            }

            if (count == wanted)
            {
                job.Pieces.Took(count, started.Elapsed);
            }

            received += count;
            job.Advance(file.Path, count);
        }

        WriteLast();
        return size is null
            ? throw ErrorCatalogue.ItemTooLarge.With(file.Path, file.Path, job.Session.Endpoint, bound)
            : received;

        void WriteLast()
        {
            if (last.Count > 0)
            {
                hash.AppendData(last.Array!, 0, last.Count);
                LocalFile.Write(local.Name, () =>
                {
                    local.Write(last.Array!, 0, last.Count);
                    local.Flush();
                    return true;
                });
            }
        }
    }

    private async Task<CopyVerification> VerifyAsync(GuestFile file, long length, string digest, string source)
    {
        if (job.Tools is not { HasChecksum: true } tools)
        {
            return await job.ReadBackAsync(file, length, digest, source).ConfigureAwait(false);
        }

        return await tools.HashAsync(source, length, job.Stop).ConfigureAwait(false) == digest
            ? CopyVerification.Sha256
            : throw ErrorCatalogue.ItemNotVerified.With(source, source, job.Session.Endpoint);
    }
}
