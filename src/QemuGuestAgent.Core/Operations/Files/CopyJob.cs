using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>One copy of items to or from a guest, and what all its files share.</summary>
internal sealed class CopyJob
{
    private readonly OperationTime _time;
    private readonly Lazy<byte[][]> _buffers = new(() => [new byte[PieceSize.Max], new byte[PieceSize.Max]]);
    private long? _nextHandle;
    private long _bytes;
    private int _files;
    private TimeSpan _lastTurn;

    public CopyJob(
        GuestAgentSession session, ItemCopyOptions options, OperationTime time, GuestPlatform platform, GuestFileTools? tools, string? missingReason,
        CancellationToken cancellationToken)
    {
        Session = session;
        Options = options;
        _time = time;
        Platform = platform;
        Tools = tools;
        ToolsMissingReason = missingReason;
        CancellationToken = cancellationToken;

        // libvirt 9.0 was seen to stall at commands of 400,000 bytes.
        Pieces = new PieceSize(options.PieceBytes ?? (session.Endpoint.BoundsReplies ? PieceSize.Min : null));
    }

    public GuestAgentSession Session { get; }

    /// <summary>Whether what is there is replaced.</summary>
    public bool Replaces => Options.Force || Options.Update;

    public ItemCopyOptions Options { get; }

    /// <summary>The guest's system.</summary>
    public GuestPlatform Platform { get; }

    /// <summary>How the guest writes paths.</summary>
    public GuestPath Paths => Platform.Paths;

    /// <summary>What the guest's programs can do; null where they may not, or cannot.</summary>
    public GuestFileTools? Tools { get; }

    /// <summary>Why there are no tools.</summary>
    public string? ToolsMissingReason { get; }

    public CancellationToken CancellationToken { get; }

    public PieceSize Pieces { get; }

    /// <summary>Memory for two pieces: one on its way, the other between file and memory.</summary>
    public byte[][] Buffers => _buffers.Value;

    /// <summary>The bytes of all files, as far as is known.</summary>
    public long TotalBytes { get; set; }

    /// <summary>How many files are to be copied.</summary>
    public int TotalFiles { get; set; }

    /// <summary>The time since the job began.</summary>
    public TimeSpan Elapsed => _time.Elapsed;

    /// <summary>The time since this was asked last: the part of a file in that of all that are copied together.</summary>
    public TimeSpan Turn()
    {
        var (last, now) = (_lastTurn, _time.Elapsed);
        _lastTurn = now;
        return now - last;
    }

    public static async Task<CopyJob> StartAsync(
        GuestAgentSession session, ItemCopyOptions options, CallOptions? call, CancellationToken cancellationToken)
    {
        var time = new OperationTime(session.Clock, call);
        var platform = await GuestPlatform.FindAsync(session, time, cancellationToken).ConfigureAwait(false);
        var (tools, missingReason) = await platform.FindFileToolsAsync(session, time, cancellationToken).ConfigureAwait(false);
        return new CopyJob(session, options, time, platform, tools, missingReason, cancellationToken);
    }

    /// <summary>Copies an item; if only this item fails, the failure is reported and the copy continues.</summary>
    public async Task TryAsync(Func<Task> item)
    {
        try
        {
            await item().ConfigureAwait(false);
        }
        catch (GuestAgentException e) when (IsOfItem(e))
        {
            Options.Failed(e);
        }
    }

    /// <summary>Whether what the copy had so far is left for the next one, after a failure.</summary>
    public bool LeavesPartial(Exception e) => Options.Resume && !(e is GuestAgentException error && IsOfItem(error));

    /// <summary>
    /// Whether after a failure the agent may still have a file open, and so locked: what was received of it is left then, since its name
    /// tells the next copy the handle to close.
    /// </summary>
    public bool MayLeaveLock(Exception e) =>
        Tools is { LocksOpenFiles: true } && e is GuestAgentException { Category: GuestAgentErrorCategory.ConnectionError };

    /// <summary>
    /// Finds items of the guest, folders before what is in them. Without tools that is the path itself: what it is shows by opening it.
    /// </summary>
    /// <exception cref="GuestAgentException">GuestPathNotRooted, GuestNameForbidden, GuestItemNotFound, GuestToolsMissing.</exception>
    public async Task<IReadOnlyList<GuestItem>> FindAsync(string source, bool isLiteral, bool isDeep)
    {
        var isPattern = !isLiteral && GuestPattern.HasWildcards(source);
        var path = isLiteral || isPattern ? source : GuestPattern.Unescape(source);
        LocalName.CheckPath(path, Paths, isPattern, Session.Endpoint);
        if (Tools is null)
        {
            return isPattern
                ? throw ErrorCatalogue.GuestToolsMissing.WithTarget(source, "Resolving wildcards", Session.Endpoint, ToolsMissingReason)
                : [new GuestItem(Paths, 'f', 0, 0, 0, path, path)];
        }

        var items = await Tools.ListAsync(path, isPattern, isDeep, Options.FollowLinks, CancellationToken).ConfigureAwait(false);
        return isPattern || items.Count > 0
            ? items
            : throw ErrorCatalogue.GuestItemNotFound.With(path, Session.Endpoint);
    }

    /// <summary>Where an item is: below its root through no link; where links are followed, it is what its path leads to.</summary>
    public (string Root, string Way) Held(GuestItem item) => Options.FollowLinks ? (item.Path, "") : (item.Root, item.Way);

    /// <summary>As the guest's tools do.</summary>
    public Task<(string Hash, string State)> HashHeldAsync(GuestItem item, long? length, CancellationToken cancellationToken) =>
        Tools!.HashHeldAsync(Held(item).Root, Held(item).Way, length, cancellationToken);

    /// <summary>Opens a file of the guest.</summary>
    public async Task<GuestFile> OpenAsync(string path, string mode)
    {
        try
        {
            var file = await GuestFile.OpenAsync(Session, path, mode, _time, CancellationToken).ConfigureAwait(false);
            _nextHandle = file.Handle + 1;
            return file;
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.GuestFileNotOpened) && Tools is not null)
        {
            await Tools.ExplainAsync(path, CancellationToken).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The handle that the next file gets, unless another client opens one first. (QEMU's agent counts up, across restarts.)</summary>
    /// <param name="readable">A file to find it out with.</param>
    public async Task<long> NextHandleAsync(string readable)
    {
        if (_nextHandle is null)
        {
            await using var file = await OpenAsync(readable, "r").ConfigureAwait(false);
        }

        return _nextHandle!.Value;
    }

    /// <summary>Closes the handle that a client has left which died.</summary>
    public async Task CloseLeftAsync(long handle)
    {
        // The copy may have been from another guest, whose agent counted the same numbers: here one may be in use.
        if (Session.OpenFiles.Contains(handle))
        {
            return;
        }

        try
        {
            await Session.CloseFileAsync(handle, _time.Command(), CancellationToken).ConfigureAwait(false);
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.AgentError))
        {
            // It was closed, or the agent has been restarted since.
        }
    }

    /// <summary>
    /// Of two tasks of a copy that failed together, one may only have heard that the session is broken: throws the failure of the other
    /// one then, which has the reason.
    /// </summary>
    public static void ThrowReason(Exception failure, Task other)
    {
        if (failure is GuestAgentException error && error.Is(ErrorCatalogue.SessionFaulted) && other.Exception?.InnerException is { } reason)
        {
            ExceptionDispatchInfo.Capture(reason).Throw();
        }
    }

    /// <summary>Tells of a file that is there, whole.</summary>
    public Task CopiedAsync(ItemCopy copy)
    {
        _files++;
        return Options.Copied(copy);
    }

    /// <summary>Warns of what a file of the guest has not got of its attributes, if anything.</summary>
    public void WarnOfMissing(string path, string? missing)
    {
        if (missing is not null)
        {
            Options.Warn($"'{path}' in the guest of '{Session.Endpoint}' did not get {missing}.");
        }
    }

    /// <summary>Tells of a file that need not be copied.</summary>
    public void Leave(string source, long length)
    {
        TotalBytes -= length;
        TotalFiles--;
        Options.Unchanged(source);
    }

    /// <summary>Tells how far the copy is, and ends it where its time is over.</summary>
    public void Advance(string item, long bytes)
    {
        _bytes += bytes;
        Options.Progress?.Invoke(new ItemCopyProgress(item, _bytes, Math.Max(_bytes, TotalBytes), _files, TotalFiles));
        if (_time.IsOver)
        {
            throw ErrorCatalogue.FileTimedOut.With(item, Session.Endpoint, _time.Limit.TotalSeconds);
        }
    }

    /// <summary>Compares a file of the guest with what was sent, where the guest computes no checksum.</summary>
    public async Task<CopyVerification> CompareAsync(string path, long length, string hash, string item)
    {
        await using var file = await OpenAsync(path, "r").ConfigureAwait(false);
        if (await file.SeekEndAsync(CancellationToken).ConfigureAwait(false) != length)
        {
            throw ErrorCatalogue.ItemNotVerified.With(item, Session.Endpoint);
        }

        return await ReadBackAsync(file, length, hash, item).ConfigureAwait(false);
    }

    /// <summary>Reads a number of bytes at the start of a file a second time, if requested.</summary>
    public async Task<CopyVerification> ReadBackAsync(GuestFile file, long length, string hash, string item)
    {
        if (!Options.ReadBack)
        {
            return CopyVerification.Size;
        }

        await file.SeekAsync(0, CancellationToken).ConfigureAwait(false);
        using var second = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long done = 0; done < length;)
        {
            var count = await file.ReadAsync(Buffers[0], (int)Math.Min(Pieces.Current, length - done), CancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                break;
            }

            second.AppendData(Buffers[0], 0, count);
            done += count;
            Advance(item, 0);
        }

        return PartialName.Hex(second.GetHashAndReset()) == hash
            ? CopyVerification.SecondRead
            : throw ErrorCatalogue.ItemNotVerified.With(item, Session.Endpoint);
    }

    /// <summary>Whether a failure is one of the item alone.</summary>
    // Not so where the agent, the channel or the time has failed: then the others would too.
    public static bool IsOfItem(GuestAgentException e) => e.Category is not (
        GuestAgentErrorCategory.ConnectionError or GuestAgentErrorCategory.OperationTimeout or GuestAgentErrorCategory.NotEnabled
        or GuestAgentErrorCategory.ProtocolError or GuestAgentErrorCategory.ResourceBusy
        or GuestAgentErrorCategory.ResourceUnavailable);
}
