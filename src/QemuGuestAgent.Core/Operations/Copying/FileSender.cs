using System.Diagnostics;
using System.Security.Cryptography;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Operations.Copying;

/// <summary>Sends files to a guest, one after the other.</summary>
internal sealed class FileSender(CopyJob job)
{
    // A file that every guest with tools has.
    private const string Readable = "/dev/null";

    /// <summary>Sends a file, whole or not at all where the guest has the tools for that.</summary>
    public async Task<ItemCopy> SendAsync(string source, string target)
    {
        var started = job.Elapsed;
        using var local = LocalFile.OpenRead(source);
        var copy = job.Tools is { } tools
            ? await SendAsideAsync(local, target, tools).ConfigureAwait(false)
            : await SendInPlaceAsync(local, target).ConfigureAwait(false);
        return copy with { Duration = job.Elapsed - started };
    }

    private async Task<ItemCopy> SendAsideAsync(FileStream local, string target, GuestFileTools tools)
    {
        var (folder, name) = (GuestPath.Folder(target, isWindows: false), GuestPath.Name(target, isWindows: false));
        var path = folder + PartialName.Create(name, await job.NextHandleAsync(Readable).ConfigureAwait(false));
        var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var named = path;
        try
        {
            var resumed = 0L;
            if (job.Options.Resume && await ResumeAsync(local, folder, name, path, tools).ConfigureAwait(false) is { } left)
            {
                hash.Dispose();
                (hash, resumed) = left;
            }

            long length;
            await using (var file = await job.OpenAsync(path, resumed > 0 ? "r+" : "w").ConfigureAwait(false))
            {
                named = PartialName.HandleIn(path.Substring(folder.Length), name) == file.Handle
                    ? path
                    : folder + PartialName.Create(name, file.Handle);
                await tools.SealAsync(path, named, target, job.Options.Force, job.Stop).ConfigureAwait(false);
                if (resumed > 0)
                {
                    await file.SeekAsync(resumed, job.Stop).ConfigureAwait(false);
                }

                length = resumed + await PumpAsync(local, resumed, file, hash).ConfigureAwait(false);
                await file.CompleteAsync(job.Stop).ConfigureAwait(false);
            }

            var digest = PartialName.Hex(hash.GetHashAndReset());
            var verified = tools.HasChecksum
                ? CopyVerification.Sha256
                : await job.CompareAsync(named, length, digest, target).ConfigureAwait(false);
            var isKept = await tools.FinishAsync(
                named, target, job.Options.Force, digest, LocalFile.Attributes(local.Name, LocalFile.UsualMode), job.Stop)
                .ConfigureAwait(false);
            if (!isKept)
            {
                job.Options.Warn($"'{target}' in the guest of '{job.Session.Endpoint}' has not got the time and mode of its source.");
            }

            return new ItemCopy(local.Name, target, length, digest, verified, true, resumed, default);
        }
        catch (Exception e) when (!job.LeavesPartial(e))
        {
            await tools.RemoveAsync(path, named).ConfigureAwait(false);
            throw;
        }
        finally
        {
            hash.Dispose();
        }
    }

    // Without tools there is no temporary file: what has another name could not be renamed, and what is broken not be removed.
    private async Task<ItemCopy> SendInPlaceAsync(FileStream local, string target)
    {
        if (!job.Options.Force && await IsThereAsync(target).ConfigureAwait(false))
        {
            throw ErrorCatalogue.ItemExists.With(target, target, $"in the guest of '{job.Session.Endpoint}'");
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var file = await job.OpenAsync(target, "w").ConfigureAwait(false);
        try
        {
            var length = await PumpAsync(local, 0, file, hash).ConfigureAwait(false);
            await file.CompleteAsync(job.Stop).ConfigureAwait(false);
            var digest = PartialName.Hex(hash.GetHashAndReset());
            var verified = await job.CompareAsync(target, length, digest, target).ConfigureAwait(false);
            return new ItemCopy(local.Name, target, length, digest, verified, false, 0, default);
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
        catch (GuestAgentException e) when (e.ErrorId == ErrorCatalogue.GuestFileNotOpened.Id)
        {
            return false;
        }
    }

    // Takes over the longest part that an earlier copy has left and that the source begins with; all others are removed.
    private async Task<(IncrementalHash Hash, long Length)?> ResumeAsync(
        FileStream local, string folder, string name, string path, GuestFileTools tools)
    {
        var partials = await FindPartialsAsync().ConfigureAwait(false);
        if (partials.Count == 0)
        {
            return null;
        }

        foreach (var partial in partials)
        {
            await job.CloseLeftAsync(PartialName.HandleIn(partial.Path.Substring(folder.Length), name)!.Value).ConfigureAwait(false);
        }

        // What the agent still held back of it has come with the close.
        partials = await FindPartialsAsync().ConfigureAwait(false);
        foreach (var partial in partials.Where(partial => partial.Length > 0 && partial.Length <= local.Length))
        {
            var (goesOn, start) = LocalFile.HashStart(local, partial.Length, job.Buffers[0]);
            if (start == partial.Hash)
            {
                await tools.AdoptAsync(partial.Path, path, partials.Where(other => other != partial).Select(other => other.Path), job.Stop)
                    .ConfigureAwait(false);
                job.Advance(local.Name, partial.Length);
                return (goesOn, partial.Length);
            }

            goesOn.Dispose();
        }

        await tools.RemoveAsync([.. partials.Select(partial => partial.Path)]).ConfigureAwait(false);
        return null;

        async Task<List<PartialFile>> FindPartialsAsync() =>
        [
            .. (await tools.FindPartialsAsync(folder, PartialName.Prefix(name), job.Stop).ConfigureAwait(false))
                .Where(partial => PartialName.HandleIn(partial.Path.Substring(folder.Length), name) is not null)
                .OrderByDescending(partial => partial.Length)
        ];
    }

    // Returns how many bytes were sent. A piece is read while the agent writes the one before.
    private async Task<long> PumpAsync(FileStream local, long from, GuestFile file, IncrementalHash hash)
    {
        local.Position = from;
        var sent = 0L;
        var next = 0;
        Read(0);
        for (var turn = 0; next > 0; turn ^= 1)
        {
            var count = next;
            var started = Stopwatch.StartNew();
            await file.WriteAsync(job.Buffers[turn].AsMemory(0, count), job.Stop, () => Read(turn ^ 1)).ConfigureAwait(false);
            job.Pieces.Took(count, started.Elapsed);
            sent += count;
            job.Advance(local.Name, count);
        }

        return sent;

        void Read(int turn)
        {
            next = LocalFile.Read(local, job.Buffers[turn], job.Pieces.Current);
            hash.AppendData(job.Buffers[turn], 0, next);
        }
    }
}
