using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations;

/// <summary>A program in a guest whose output is read while it runs: without limit, and in memory only by pieces.</summary>
public sealed class StreamedProcess
{
    private static readonly TimeSpan FirstPoll = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan LongestPoll = TimeSpan.FromMilliseconds(500);

    // As many as QEMU's agent (qga/commands.c): 16 MiB of each stream.
    private const int MostKept = 16 << 20;

    // A shell that could not become the program says no more than that.
    private const int LongestFailure = 8 << 10;

    private readonly GuestAgentSession _session;
    private readonly GuestProcessStart _start;
    private readonly Func<GuestOutputKind, byte[], Task> _take;
    private readonly OperationTime _time;
    private readonly OutputFiles _files;
    private readonly List<byte> _firstErrors = [];

    private StreamedProcess(
        GuestAgentSession session, GuestProcessStart start, Func<GuestOutputKind, byte[], Task> take, OperationTime time)
    {
        _session = session;
        _start = start;
        _take = take;
        _time = time;
        _files = new OutputFiles(session);
    }

    /// <summary>Runs a program to its end. Where that is given up, or lasts too long, it is killed. No file is left.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="start">The program.</param>
    /// <param name="write">Takes lines as they come; no more is read until it is done with them.</param>
    /// <param name="keepsOnTimeOut">Whether it goes on when the time is over. What it still writes is lost then.</param>
    /// <param name="call">Time, zero is no limit, and trace; null takes the usual ones.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How it ended, without the output.</returns>
    /// <exception cref="GuestAgentException">As those of running a program, and OutputFileNotMade.</exception>
    public static async Task<GuestProcessResult> RunAsync(
        GuestAgentSession session, GuestProcessStart start, Func<IReadOnlyList<GuestProcessLine>, Task> write,
        bool keepsOnTimeOut = false, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var time = new OperationTime(session.Clock, call);
        if (await GuestTools.IsWindowsAsync(session, time, cancellationToken).ConfigureAwait(false))
        {
            // Its agent opens no file that somebody writes to.
            throw ErrorCatalogue.NotInWindowsGuest.With("Stream", "Live output", session.Endpoint);
        }

        var output = new LineReader(GuestOutputKind.Output, start.Encoding, start.LongestLine);
        var errors = new LineReader(GuestOutputKind.Error, start.Encoding, start.LongestLine);
        Task WriteAsync(IReadOnlyList<GuestProcessLine> lines) => lines.Count > 0 ? write(lines) : Task.CompletedTask;
        var process = new StreamedProcess(
            session, start, (stream, bytes) => WriteAsync((stream == GuestOutputKind.Output ? output : errors).Read(bytes)), time);
        var result = await process.RunAsync(keepsOnTimeOut, cancellationToken).ConfigureAwait(false);
        await WriteAsync([.. output.Finish(), .. errors.Finish()]).ConfigureAwait(false);
        return result;
    }

    /// <summary>
    /// Runs a program to its end, with all that it wrote as the agent would keep it: for a channel that does not carry that in one reply.
    /// </summary>
    internal static async Task<GuestProcessResult> GatherAsync(
        GuestAgentSession session, GuestProcessStart start, bool keepsOnTimeOut, OperationTime time, CancellationToken cancellationToken)
    {
        var kept = new Dictionary<GuestOutputKind, MemoryStream> { [GuestOutputKind.Output] = new(), [GuestOutputKind.Error] = new() };
        var isTruncated = false;
        var process = new StreamedProcess(
            session, start, (stream, bytes) =>
            {
                var count = (int)Math.Min(bytes.Length, MostKept - kept[stream].Length);
                kept[stream].Write(bytes, 0, count);
                isTruncated |= count < bytes.Length;
                return Task.CompletedTask;
            },
            time);
        var result = await process.RunAsync(keepsOnTimeOut, cancellationToken).ConfigureAwait(false);
        return result.With(kept[GuestOutputKind.Output].ToArray(), kept[GuestOutputKind.Error].ToArray(), isTruncated);
    }

    private async Task<GuestProcessResult> RunAsync(bool keepsOnTimeOut, CancellationToken cancellationToken)
    {
        var hasEnded = false;
        try
        {
            await _files.CreateAsync(_time, cancellationToken).ConfigureAwait(false);
            var (execution, wrapper) = await LaunchWrapper.PrepareAsync(
                _session, _start, _files.Folder, _time, cancellationToken).ConfigureAwait(false);
            var process = await GuestProcess.StartAsync(
                _session, execution, _time, cancellationToken, _start, wrapper).ConfigureAwait(false);
            var result = await process.GuardAsync(
                () => FollowAsync(process, wrapper!, cancellationToken), keepsOnTimeOut, _time).ConfigureAwait(false);
            hasEnded = true;
            return result;
        }
        finally
        {
            await _files.CloseAsync(hasEnded).ConfigureAwait(false);
        }
    }

    private async Task<GuestProcessResult> FollowAsync(
        GuestProcess process, LaunchWrapper wrapper, CancellationToken cancellationToken)
    {
        GuestProcessResult? result = null;
        var quietSince = _time.Elapsed;
        while (true)
        {
            var hasMore = await PumpAsync(GuestOutputKind.Output, cancellationToken).ConfigureAwait(false)
                | await PumpAsync(GuestOutputKind.Error, cancellationToken).ConfigureAwait(false);
            if (_time.IsOver)
            {
                throw process.TimedOut(_time, "it goes on");
            }

            if (hasMore)
            {
                quietSince = _time.Elapsed;
                continue;
            }

            // What it wrote before its end is read once more after that was seen.
            if (result is not null)
            {
                return wrapper.FindFailure([.. _firstErrors]) is { } reason
                    ? throw ErrorCatalogue.ProcessNotStarted.With(_start.FilePath, _start.FilePath, _session.Endpoint, reason)
                    : result;
            }

            result = await process.RefreshAsync(_time.Command(), cancellationToken).ConfigureAwait(false);
            if (result is null)
            {
                var quiet = _time.Elapsed - quietSince;
                var pause = new TimeSpan(Math.Min(LongestPoll.Ticks, Math.Max(FirstPoll.Ticks, quiet.Ticks / 4)));
                await _time.DelayAsync(pause, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    // Reads one piece; whether there may be more already.
    private async Task<bool> PumpAsync(GuestOutputKind stream, CancellationToken cancellationToken)
    {
        var (bytes, hasMore) = await _files.ReadAsync(stream, cancellationToken).ConfigureAwait(false);
        if (stream == GuestOutputKind.Error && _firstErrors.Count <= LongestFailure)
        {
            _firstErrors.AddRange(bytes);
        }

        await _take(stream, bytes).ConfigureAwait(false);
        return hasMore;
    }
}
