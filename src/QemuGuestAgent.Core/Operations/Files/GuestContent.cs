using System.Text;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>Reads and writes the content of files of guests, as text and as bytes.</summary>
public static class GuestContent
{
    // The fastest for the agent.
    private const int PieceBytes = 64 << 10;

    // In characters; a longer line is cut, for a guest that never ends its line must not take the host's memory.
    private const int MaxLine = 16 << 20;

    private static readonly TimeSpan FirstPoll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MaxPoll = TimeSpan.FromSeconds(1);

    /// <summary>Finds the files of a path with PowerShell's wildcards. Only for wildcards programs run in the guest.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="path">The path.</param>
    /// <param name="call">Time limit and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="GuestAgentException">GuestToolsMissing, GuestPathNotRooted, and those of a command.</exception>
    public static async Task<IReadOnlyList<string>> FindAsync(
        GuestAgentSession session, string path, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        if (!GuestPattern.HasWildcards(path))
        {
            return [GuestPattern.Unescape(path)];
        }

        var job = await CopyJob.StartAsync(session, new ItemCopyOptions(), call, cancellationToken).ConfigureAwait(false);
        var items = await job.FindAsync(path, isLiteral: false, isDeep: false).ConfigureAwait(false);
        return [.. items.Where(item => item.Type == 'f').Select(item => item.Path)];
    }

    /// <summary>Reads the bytes of a file.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="path">The path of the file in the guest.</param>
    /// <param name="range">Which of them.</param>
    /// <param name="take">Receives them as they arrive; no more are read until it has returned. It must not keep the memory.</param>
    /// <param name="call">Time limit (zero for none) and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="GuestAgentException">GuestFileNotOpened, GuestFileNotRead, FileTimedOut, and those of a command.</exception>
    public static async Task ReadBytesAsync(
        GuestAgentSession session, string path, ContentRange range, Func<ReadOnlyMemory<byte>, Task> take, CallOptions? call = null,
        CancellationToken cancellationToken = default)
    {
        var time = new OperationTime(session.Clock, call);
        await using var file = await OpenAsync(session, path, "r", time, cancellationToken).ConfigureAwait(false);
        var pieces = new Pieces(session, file, time, cancellationToken);
        if (range.Tail is { } tail)
        {
            // What has no length before it is read is kept in memory as far as it is wanted.
            var size = await file.SeekEndAsync(cancellationToken).ConfigureAwait(false);
            if (size == 0)
            {
                await take(await pieces.ReadEndAsync(tail).ConfigureAwait(false)).ConfigureAwait(false);
            }
            else
            {
                await pieces.MoveAsync(Math.Max(0, size - tail)).ConfigureAwait(false);
            }
        }

        var left = range.TotalCount ?? long.MaxValue;
        while (left > 0 && await pieces.NextAsync(range.Waits).ConfigureAwait(false) is { Length: > 0 } piece)
        {
            piece = piece.Slice(0, (int)Math.Min(piece.Length, left));
            left -= piece.Length;
            await take(piece).ConfigureAwait(false);
        }
    }

    /// <summary>Reads the lines of a file, which end with LF or CRLF.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="path">The path of the file in the guest.</param>
    /// <param name="encoding">The encoding; null takes it from the byte order mark, and UTF-8 where there is none.</param>
    /// <param name="range">Which of them.</param>
    /// <param name="take">Receives them as they arrive; no more are read until it has returned.</param>
    /// <param name="call">Time limit (zero for none) and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="GuestAgentException">As <see cref="ReadBytesAsync"/>.</exception>
    public static async Task ReadLinesAsync(
        GuestAgentSession session, string path, Encoding? encoding, ContentRange range, Func<IReadOnlyList<string>, Task> take,
        CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var time = new OperationTime(session.Clock, call);
        await using var file = await OpenAsync(session, path, "r", time, cancellationToken).ConfigureAwait(false);
        var pieces = new Pieces(session, file, time, cancellationToken);
        var first = await pieces.NextAsync(waits: false).ConfigureAwait(false);
        encoding = GuestText.Choose(first.Span, encoding ?? new UTF8Encoding(false));
        var size = range.Tail is null ? 0 : await file.SeekEndAsync(cancellationToken).ConfigureAwait(false);
        var lines = Reader(encoding);
        if (range.Tail is { } tail)
        {
            (var last, lines) = await ReadTailAsync(pieces, encoding, size, tail, range.Waits).ConfigureAwait(false);
            await take(last).ConfigureAwait(false);
            first = default;
        }

        var left = range.TotalCount ?? long.MaxValue;
        for (var piece = first; left > 0; piece = await pieces.NextAsync(range.Waits).ConfigureAwait(false))
        {
            if (piece.Length == 0 && (!range.Waits || time.IsOver))
            {
                break;
            }

            await TakeAsync(lines.Read(piece.ToArray())).ConfigureAwait(false);
        }

        if (left > 0)
        {
            await TakeAsync(lines.Finish()).ConfigureAwait(false);
        }

        async Task TakeAsync(IReadOnlyList<GuestProcessLine> read)
        {
            if (read.Count > 0)
            {
                IReadOnlyList<string> texts = [.. Texts(read).Take((int)Math.Min(int.MaxValue, left))];
                left -= texts.Count;
                await take(texts).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Writes or appends to a file. It is written in place: a reader sees a part of it meanwhile.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="path">The path of the file in the guest.</param>
    /// <param name="content">What to write.</param>
    /// <param name="mark">What stands at the beginning of the file, before that: a byte order mark, or nothing.</param>
    /// <param name="appends">Whether it goes behind what is there.</param>
    /// <param name="warn">Told where a new file may be written to by everybody.</param>
    /// <param name="call">Time limit (zero for none) and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="GuestAgentException">
    /// GuestFileNotOpened, GuestFileNotWritten, GuestPathNotRooted, FileTimedOut, and those of a command.
    /// </exception>
    public static async Task WriteAsync(
        GuestAgentSession session, string path, ReadOnlyMemory<byte> content, byte[] mark, bool appends, Action<string> warn,
        CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var time = new OperationTime(session.Clock, call);
        CheckRooted(session, path);
        var platform = await GuestPlatform.FindAsync(session, time, cancellationToken).ConfigureAwait(false);
        var (tools, missingReason) = await platform.FindFileToolsAsync(session, time, cancellationToken).ConfigureAwait(false);
        if (tools is null && platform.OpensNewFilesToAll)
        {
            warn($"If '{path}' is new in the guest of '{session.Endpoint}', everyone there can read and write it: {missingReason}.");
        }

        await using var file = tools is null
            ? await GuestFile.OpenInPlaceAsync(session, path, appends ? "a" : "w", null, mark, time, cancellationToken).ConfigureAwait(false)
            : await tools.OpenInPlaceAsync(path, mark, appends, cancellationToken).ConfigureAwait(false);
        for (var done = 0; done < content.Length; done += PieceBytes)
        {
            CheckTime(session, path, time);
            await file.WriteAsync(content.Slice(done, Math.Min(PieceBytes, content.Length - done)), cancellationToken)
                .ConfigureAwait(false);
        }

        await file.CompleteAsync(cancellationToken).ConfigureAwait(false);
    }

    // The last lines of a file, and what has read them, which holds the beginning of the next.
    private static async Task<(IReadOnlyList<string> Last, LineReader Lines)> ReadTailAsync(
        Pieces pieces, Encoding encoding, long size, long tail, bool waits)
    {
        // The first line of a window may be a part of one: there must be one more than is wanted.
        for (var window = (long)PieceBytes; ; window *= 4)
        {
            var start = Math.Max(0, (size - window) & ~3L);
            await pieces.MoveAsync(start).ConfigureAwait(false);
            var (last, lines, count) = (new Queue<string>(), Reader(encoding), 0L);
            while (await pieces.NextAsync(waits: false).ConfigureAwait(false) is { Length: > 0 } piece)
            {
                Keep(lines.Read(piece.ToArray()));
            }

            // Where more is to come, what has no end yet is no line yet.
            if (!waits)
            {
                Keep(lines.Finish());
            }

            if (start == 0 || count > tail)
            {
                return ([.. last], lines);
            }

            void Keep(IEnumerable<GuestProcessLine> more)
            {
                foreach (var line in more)
                {
                    count++;
                    last.Enqueue(line.Text);
                    if (last.Count > tail)
                    {
                        last.Dequeue();
                    }
                }
            }
        }
    }

    private static LineReader Reader(Encoding encoding) => new(GuestOutputKind.Output, encoding, MaxLine);

    private static IEnumerable<string> Texts(IEnumerable<GuestProcessLine> lines) => lines.Select(line => line.Text);

    private static Task<GuestFile> OpenAsync(
        GuestAgentSession session, string path, string mode, OperationTime time, CancellationToken cancellationToken)
    {
        CheckRooted(session, path);
        return GuestFile.OpenAsync(session, path, mode, time, cancellationToken);
    }

    private static void CheckRooted(GuestAgentSession session, string path)
    {
        // Without a question to the guest: a path of the one is none of the other.
        var paths = GuestPath.Windows.IsRooted(path) ? GuestPath.Windows : GuestPath.Posix;
        LocalName.CheckPath(path, paths, isPattern: false, session.Endpoint);
    }

    private static void CheckTime(GuestAgentSession session, string path, OperationTime time)
    {
        if (time.IsOver)
        {
            throw ErrorCatalogue.FileTimedOut.With(path, session.Endpoint, time.Limit.TotalSeconds);
        }
    }

    // A file read piece by piece.
    private sealed class Pieces(GuestAgentSession session, GuestFile file, OperationTime time, CancellationToken cancellationToken)
    {
        private readonly byte[] _buffer = new byte[PieceBytes];
        private long _position;

        public async Task MoveAsync(long position)
        {
            await file.SeekAsync(position, cancellationToken).ConfigureAwait(false);
            _position = position;
        }

        // The next piece; none at the end. Who waits there gets none only when the time is over.
        public async Task<ReadOnlyMemory<byte>> NextAsync(bool waits)
        {
            for (var pause = FirstPoll; ; pause = pause < MaxPoll ? pause + FirstPoll : MaxPoll)
            {
                if (!waits)
                {
                    CheckTime(session, file.Path, time);
                }

                var count = await file.ReadAsync(_buffer, _buffer.Length, cancellationToken).ConfigureAwait(false);
                _position += count;
                if (count > 0 || !waits || time.IsOver)
                {
                    return _buffer.AsMemory(0, count);
                }

                await time.DelayAsync(pause, cancellationToken).ConfigureAwait(false);

                // A log that was truncated starts again.
                if (await file.SeekEndAsync(cancellationToken).ConfigureAwait(false) is var size && size < _position && size > 0)
                {
                    _position = 0;
                }

                await MoveAsync(_position).ConfigureAwait(false);
            }
        }

        public async Task<ReadOnlyMemory<byte>> ReadEndAsync(long count)
        {
            var last = new List<byte>();
            await MoveAsync(0).ConfigureAwait(false);
            while (await NextAsync(waits: false).ConfigureAwait(false) is { Length: > 0 } piece)
            {
                last.AddRange(piece.ToArray());
                if (last.Count > count)
                {
                    last.RemoveRange(0, (int)(last.Count - count));
                }
            }

            return last.ToArray();
        }
    }
}

/// <summary>Which lines, or bytes, of a file are read.</summary>
/// <param name="TotalCount">So many from the start; null for all.</param>
/// <param name="Tail">So many at the end; null for all.</param>
/// <param name="Waits">Whether to go on at the end, with what is written there later, until cancelled or timed out.</param>
public sealed record ContentRange(long? TotalCount = null, long? Tail = null, bool Waits = false);
