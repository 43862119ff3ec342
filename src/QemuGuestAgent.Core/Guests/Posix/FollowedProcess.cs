using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>A program that writes to files, which are read while it runs.</summary>
internal sealed class FollowedProcess(
    GuestAgentSession session, GuestProcessStart start, HostWatch watch, Func<GuestOutputKind, byte[], Task> take, OperationTime time)
{
    private static readonly TimeSpan FirstPoll = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan MaxPoll = TimeSpan.FromMilliseconds(500);

    // A shell that could not become the program says no more than that.
    private const int MaxFailure = 8 << 10;

    // The fastest for the agent.
    private const int ReadBytes = 64 << 10;

    private readonly OutputFiles _files = new(session, watch);
    private readonly OperationTime _asking = time.WithoutSteps();
    private readonly List<byte> _firstErrors = [];
    private readonly byte[] _buffer = new byte[ReadBytes];

    /// <summary>Runs it to its end. If that is cancelled or times out, it is killed. No file is left.</summary>
    public async Task<GuestProcessResult> RunAsync(bool keepsOnTimeOut, CancellationToken cancellationToken)
    {
        var keeps = false;
        try
        {
            await _files.CreateAsync([], time, cancellationToken).ConfigureAwait(false);
            var output = await _files.OpenAsync(OutputFiles.Output, "r", _asking, cancellationToken).ConfigureAwait(false);
            var errors = await _files.OpenAsync(OutputFiles.Errors, "r", _asking, cancellationToken).ConfigureAwait(false);
            var (execution, wrapper) = await LaunchWrapper.PrepareAsync(
                session, start, (program, token) => LaunchScripts.IntoFiles(program, _files, token), time, cancellationToken).ConfigureAwait(false);
            var process = await GuestProcess.StartAsync(
                session, execution, time, cancellationToken, start, wrapper).ConfigureAwait(false);
            return await process.GuardAsync(
                () => FollowAsync(process, output, errors, wrapper!, cancellationToken), keepsOnTimeOut, time).ConfigureAwait(false);
        }
        catch (GuestAgentException e) when (keepsOnTimeOut && e.Is(ErrorCatalogue.ProcessTimedOut))
        {
            keeps = true;
            throw;
        }
        finally
        {
            await _files.CloseAsync().ConfigureAwait(false);

            // If the agent does not answer, the guest does it without being asked.
            await _files.RemoveAsync(keeps).ConfigureAwait(false);
        }
    }

    private async Task<GuestProcessResult> FollowAsync(
        GuestProcess process, GuestFile output, GuestFile errors, LaunchWrapper wrapper, CancellationToken cancellationToken)
    {
        GuestProcessResult? result = null;
        var quietSince = time.Elapsed;
        while (true)
        {
            var hasMore = false;
            try
            {
                await _files.GiveSignAsync(_asking, cancellationToken).ConfigureAwait(false);
                hasMore = await PumpAsync(GuestOutputKind.Output, output, cancellationToken).ConfigureAwait(false)
                    | await PumpAsync(GuestOutputKind.Error, errors, cancellationToken).ConfigureAwait(false);

                // What it wrote before its end is read once more after that was seen.
                if (!hasMore && result is not null)
                {
                    return wrapper.FindFailure([.. _firstErrors]) is { } reason
                        ? throw ErrorCatalogue.ProcessNotStarted.With(start.FilePath, session.Endpoint, reason)
                        : result;
                }

                if (!hasMore && !time.IsOver)
                {
                    result = await process.RefreshAsync(_asking.Command(), cancellationToken).ConfigureAwait(false);
                }
            }
            catch (GuestAgentException e) when (e.Is(ErrorCatalogue.GuestFrozen))
            {
                // Nothing was done; it continues once the guest is thawed.
            }
            catch (GuestAgentException e) when (time.IsOver && e.Is(ErrorCatalogue.ProcessTimedOut))
            {
                // A sign of life, or the like: the program's own time-out is reported.
            }

            if (time.IsOver)
            {
                throw process.TimedOut(time, "it is still running");
            }

            if (hasMore)
            {
                quietSince = time.Elapsed;
            }
            else if (result is null)
            {
                var quiet = time.Elapsed - quietSince;
                var pause = new TimeSpan(Math.Min(MaxPoll.Ticks, Math.Max(FirstPoll.Ticks, quiet.Ticks / 4)));
                await time.DelayAsync(pause, cancellationToken).ConfigureAwait(false);
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

        await HostSigns.WhileAsync(
            take(stream, bytes), session.Clock, () => _files.NextSign, _files.GiveSignAsync, cancellationToken).ConfigureAwait(false);
        var name = stream == GuestOutputKind.Output ? OutputFiles.Output : OutputFiles.Errors;
        await _files.FreeAsync(name, count, _asking, cancellationToken).ConfigureAwait(false);
        return count == ReadBytes;
    }
}
