using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations;

/// <summary>A program in a guest whose output is read while it runs: without limit, and in memory only by pieces.</summary>
public sealed class StreamedProcess
{
    private static readonly TimeSpan FirstPoll = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan LongestPoll = TimeSpan.FromMilliseconds(500);

    // A shell that could not become the program says no more than that.
    private const int LongestFailure = 8 << 10;

    private readonly GuestAgentSession _session;
    private readonly GuestProcessStart _start;
    private readonly Func<IReadOnlyList<GuestProcessLine>, Task> _write;
    private readonly OperationTime _time;
    private readonly OutputFiles _files;
    private readonly LineReader _output;
    private readonly LineReader _errors;
    private readonly List<byte> _firstErrors = [];

    private StreamedProcess(
        GuestAgentSession session, GuestProcessStart start, Func<IReadOnlyList<GuestProcessLine>, Task> write, OperationTime time)
    {
        _session = session;
        _start = start;
        _write = write;
        _time = time;
        _files = new OutputFiles(session);
        _output = new LineReader(GuestOutputKind.Output, start.Encoding, start.LongestLine);
        _errors = new LineReader(GuestOutputKind.Error, start.Encoding, start.LongestLine);
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

        var process = new StreamedProcess(session, start, write, time);
        return await process.RunAsync(keepsOnTimeOut, cancellationToken).ConfigureAwait(false);
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
            var hasMore = await PumpAsync(GuestOutputKind.Output, _output, cancellationToken).ConfigureAwait(false)
                | await PumpAsync(GuestOutputKind.Error, _errors, cancellationToken).ConfigureAwait(false);
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
                await FinishAsync(wrapper).ConfigureAwait(false);
                return result;
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
    private async Task<bool> PumpAsync(GuestOutputKind stream, LineReader reader, CancellationToken cancellationToken)
    {
        var (bytes, hasMore) = await _files.ReadAsync(stream, cancellationToken).ConfigureAwait(false);
        if (stream == GuestOutputKind.Error && _firstErrors.Count <= LongestFailure)
        {
            _firstErrors.AddRange(bytes);
        }

        if (reader.Read(bytes) is { Count: > 0 } lines)
        {
            await _write(lines).ConfigureAwait(false);
        }

        return hasMore;
    }

    private async Task FinishAsync(LaunchWrapper wrapper)
    {
        if (wrapper.FindFailure([.. _firstErrors]) is { } reason)
        {
            throw ErrorCatalogue.ProcessNotStarted.With(_start.FilePath, _start.FilePath, _session.Endpoint, reason);
        }

        if (_output.Finish().Concat(_errors.Finish()).ToList() is { Count: > 0 } lines)
        {
            await _write(lines).ConfigureAwait(false);
        }
    }
}
