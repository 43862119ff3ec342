using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations.Processes;

/// <summary>A program in a guest whose output is read while it runs: without limit, and in memory only by pieces.</summary>
public sealed class StreamedProcess
{
    private static readonly TimeSpan FirstPoll = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan MaxPoll = TimeSpan.FromMilliseconds(500);

    // As many as QEMU's agent (qga/commands.c): 16 MiB of each stream.
    private const int MaxKept = 16 << 20;

    // A shell that could not become the program says no more than that.
    private const int MaxFailure = 8 << 10;

    // The fastest for the agent.
    private const int ReadBytes = 64 << 10;

    private readonly GuestAgentSession _session;
    private readonly GuestProcessStart _start;
    private readonly Func<GuestOutputKind, byte[], Task> _take;
    private readonly OperationTime _time;
    private readonly OutputFiles _files;
    private readonly List<byte> _firstErrors = [];
    private readonly byte[] _buffer = new byte[ReadBytes];

    private StreamedProcess(
        GuestAgentSession session, GuestProcessStart start, HostWatch watch, Func<GuestOutputKind, byte[], Task> take, OperationTime time)
    {
        _session = session;
        _start = start;
        _take = take;
        _time = time;
        _files = new OutputFiles(session, watch);
    }

    /// <summary>Runs a program to its end. Where that is given up, or lasts too long, it is killed. No file is left.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="start">The program.</param>
    /// <param name="write">Takes lines as they come; no more is read until it is done with them.</param>
    /// <param name="keepsOnTimeOut">Whether it goes on when the time is over. What it still writes is thrown away then.</param>
    /// <param name="call">Time, zero is no limit, and trace; null takes the usual ones.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How it ended, without the output.</returns>
    /// <exception cref="GuestAgentException">As those of running a program, and OutputFileNotMade.</exception>
    public static Task<GuestProcessResult> RunAsync(
        GuestAgentSession session, GuestProcessStart start, Func<IReadOnlyList<GuestProcessLine>, Task> write,
        bool keepsOnTimeOut = false, CallOptions? call = null, CancellationToken cancellationToken = default) =>
        RunAsync(session, start, write, HostWatch.Usual, keepsOnTimeOut, call, cancellationToken);

    internal static async Task<GuestProcessResult> RunAsync(
        GuestAgentSession session, GuestProcessStart start, Func<IReadOnlyList<GuestProcessLine>, Task> write, HostWatch watch,
        bool keepsOnTimeOut, CallOptions? call, CancellationToken cancellationToken)
    {
        var time = new OperationTime(session.Clock, call);
        if (await GuestTools.IsWindowsAsync(session, time, cancellationToken).ConfigureAwait(false))
        {
            // Its agent opens no file that somebody writes to.
            throw ErrorCatalogue.NotInWindowsGuest.WithTarget("Stream", "Live output", session.Endpoint);
        }

        var output = new LineReader(GuestOutputKind.Output, start.Encoding, start.MaxLine);
        var errors = new LineReader(GuestOutputKind.Error, start.Encoding, start.MaxLine);
        Task WriteAsync(IReadOnlyList<GuestProcessLine> lines) => lines.Count > 0 ? write(lines) : Task.CompletedTask;
        var process = new StreamedProcess(
            session, start, watch, (stream, bytes) => WriteAsync((stream == GuestOutputKind.Output ? output : errors).Read(bytes)), time);
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
            session, start, HostWatch.Usual, (stream, bytes) =>
            {
                var count = (int)Math.Min(bytes.Length, MaxKept - kept[stream].Length);
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
        var keeps = false;
        try
        {
            await _files.CreateAsync([], _time, cancellationToken).ConfigureAwait(false);
            var output = await _files.OpenAsync(OutputFiles.Output, "r", _time, cancellationToken).ConfigureAwait(false);
            var errors = await _files.OpenAsync(OutputFiles.Errors, "r", _time, cancellationToken).ConfigureAwait(false);
            var (execution, wrapper) = await LaunchWrapper.PrepareAsync(
                _session, _start, _files, _time, cancellationToken).ConfigureAwait(false);
            var process = await GuestProcess.StartAsync(
                _session, execution, _time, cancellationToken, _start, wrapper).ConfigureAwait(false);
            return await process.GuardAsync(
                () => FollowAsync(process, output, errors, wrapper!, cancellationToken), keepsOnTimeOut, _time).ConfigureAwait(false);
        }
        catch (GuestAgentException e) when (keepsOnTimeOut && e.Is(ErrorCatalogue.ProcessTimedOut))
        {
            keeps = true;
            throw;
        }
        finally
        {
            await _files.CloseAsync().ConfigureAwait(false);
            try
            {
                await _files.RemoveAsync(keeps).ConfigureAwait(false);
            }
            catch (GuestAgentException)
            {
                // The agent does not answer: then the guest does it by itself, and the caller is told why already.
            }
        }
    }

    private async Task<GuestProcessResult> FollowAsync(
        GuestProcess process, GuestFile output, GuestFile errors, LaunchWrapper wrapper, CancellationToken cancellationToken)
    {
        GuestProcessResult? result = null;
        var quietSince = _time.Elapsed;
        while (true)
        {
            var hasMore = false;
            try
            {
                await _files.GiveSignAsync(_time, cancellationToken).ConfigureAwait(false);
                hasMore = await PumpAsync(GuestOutputKind.Output, output, cancellationToken).ConfigureAwait(false)
                    | await PumpAsync(GuestOutputKind.Error, errors, cancellationToken).ConfigureAwait(false);

                // What it wrote before its end is read once more after that was seen.
                if (!hasMore && result is not null)
                {
                    return wrapper.FindFailure([.. _firstErrors]) is { } reason
                        ? throw ErrorCatalogue.ProcessNotStarted.With(_start.FilePath, _session.Endpoint, reason)
                        : result;
                }

                if (!hasMore && !_time.IsOver)
                {
                    result = await process.RefreshAsync(_time.Command(), cancellationToken).ConfigureAwait(false);
                }
            }
            catch (GuestAgentException e) when (e.Is(ErrorCatalogue.GuestFrozen))
            {
                // Nothing was done, and it goes on once the guest is thawed.
            }
            catch (GuestAgentException e) when (_time.IsOver && e.Is(ErrorCatalogue.ProcessTimedOut))
            {
                // A sign of life, or the like: what is told is that of the program.
            }

            if (_time.IsOver)
            {
                throw process.TimedOut(_time, "it goes on");
            }

            if (hasMore)
            {
                quietSince = _time.Elapsed;
            }
            else if (result is null)
            {
                var quiet = _time.Elapsed - quietSince;
                var pause = new TimeSpan(Math.Min(MaxPoll.Ticks, Math.Max(FirstPoll.Ticks, quiet.Ticks / 4)));
                await _time.DelayAsync(pause, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    // Reads one piece; whether there may be more already.
    private async Task<bool> PumpAsync(GuestOutputKind stream, GuestFile file, CancellationToken cancellationToken)
    {
        var count = await file.ReadAsync(_buffer, ReadBytes, cancellationToken).ConfigureAwait(false);
        var bytes = _buffer.AsSpan(0, count).ToArray();
        if (stream == GuestOutputKind.Error && _firstErrors.Count <= MaxFailure)
        {
            _firstErrors.AddRange(bytes);
        }

        await AliveUntilAsync(_take(stream, bytes), cancellationToken).ConfigureAwait(false);
        var name = stream == GuestOutputKind.Output ? OutputFiles.Output : OutputFiles.Errors;
        await _files.FreeAsync(name, count, _time, cancellationToken).ConfigureAwait(false);
        return count == ReadBytes;
    }

    // Whoever takes the lines may take long over it: the guest must not take the host for gone meanwhile.
    private async Task AliveUntilAsync(Task taken, CancellationToken cancellationToken)
    {
        var time = new OperationTime(_session.Clock, new CallOptions { Timeout = TimeSpan.Zero });
        while (!taken.IsCompleted)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var due = time.DelayAsync(_files.NextSign > TimeSpan.Zero ? _files.NextSign : TimeSpan.Zero, stop.Token);
            if (await Task.WhenAny(taken, due).ConfigureAwait(false) == taken)
            {
                stop.Cancel();
                break;
            }

            try
            {
                await due.ConfigureAwait(false);
                await _files.GiveSignAsync(time, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is GuestAgentException or OperationCanceledException)
            {
                // The next command tells.
                break;
            }
        }

        await taken.ConfigureAwait(false);
    }
}
