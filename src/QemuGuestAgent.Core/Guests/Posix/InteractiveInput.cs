using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>Writes to the named pipe that is the input of a program in a guest. The agent does not wait for room in it.</summary>
/// <param name="session">The session with the guest's agent.</param>
/// <param name="pipe">The pipe.</param>
/// <param name="feed">What writes many bytes to the pipe at once, in the guest, and waits for room; null where few are written.</param>
internal sealed class InteractiveInput(GuestAgentSession session, GuestFile pipe, Func<byte[], GuestExecution>? feed = null)
{
    // As much as a pipe takes as a whole or not at all (POSIX: PIPE_BUF, 4096 on Linux).
    private const int AtomicBytes = 4096;

    // As much as a pipe of Linux holds: from there on, starting a program takes less time than so many writes.
    private const int FeedBytes = 64 << 10;

    // The agent is kept from all else meanwhile.
    private const int MaxFeedBytes = 512 << 10;

    private readonly Queue<byte[]> _queue = new();
    private byte[] _bytes = [];
    private int _written;
    private bool _isUnflushed;
    private bool _isErrorSet;
    private GuestProcess? _feeding;

    /// <summary>Takes bytes to be written. From any thread.</summary>
    public void Add(byte[] bytes)
    {
        lock (_queue)
        {
            _queue.Enqueue(bytes);
        }
    }

    /// <summary>Writes what was taken, as far as there is room now; whether anything was written.</summary>
    /// <exception cref="GuestAgentException">Those of a command: part of it may be written.</exception>
    public async Task<bool> WriteAsync(CallOptions call, CancellationToken cancellationToken)
    {
        var hasWritten = false;
        if (_feeding is { } feeding)
        {
            if (await feeding.RefreshAsync(call, cancellationToken).ConfigureAwait(false) is not { } end)
            {
                return false;
            }

            (_feeding, _written, hasWritten) = (null, _bytes.Length, true);
            if (end.ExitCode != 0)
            {
                throw ErrorCatalogue.GuestFileNotWritten.With(PartialName.Shown(pipe.Path), session.Endpoint, $"what writes to it ended with {end}.");
            }
        }

        while (HasMore())
        {
            if (feed is not null && !_isUnflushed && _bytes.Length - _written >= FeedBytes)
            {
                _feeding = await GuestProcess.StartAsync(
                    session, feed(_bytes.AsSpan(_written).ToArray()), new OperationTime(session.Clock, call), cancellationToken).ConfigureAwait(false);
                return true;
            }

            try
            {
                if (_isErrorSet)
                {
                    // The agent tells of an error again at the next write, done or not, and forgets it then.
                    await ClearErrorAsync(call, cancellationToken).ConfigureAwait(false);
                    _isErrorSet = false;
                }

                // A freeze may come between the two: what the agent has taken is not written again after the thaw.
                var count = Math.Min(_bytes.Length - _written, AtomicBytes);
                if (!_isUnflushed)
                {
                    await session.WriteFileAsync(
                        pipe.Handle, _bytes.AsMemory(_written, count), call, cancellationToken).ConfigureAwait(false);
                    _isUnflushed = true;
                }

                await session.FlushFileAsync(pipe.Handle, call, cancellationToken).ConfigureAwait(false);
                _isUnflushed = false;
                _written += count;
                hasWritten = true;
            }
            catch (GuestAgentException e) when (e.Is(ErrorCatalogue.AgentError))
            {
                // No room: then nothing of it was taken.
                (_isUnflushed, _isErrorSet) = (false, true);
                break;
            }
        }

        return hasWritten;
    }

    /// <summary>Forgets what is still being written, once nobody reads it any more.</summary>
    public Task EndAsync(OperationTime time) => _feeding is { } feeding
        ? AbandonedCall.CleanUpAsync(() => feeding.WaitForStatusAsync(time, CancellationToken.None))
        : Task.CompletedTask;

    private async Task ClearErrorAsync(CallOptions call, CancellationToken cancellationToken)
    {
        try
        {
            await session.WriteFileAsync(pipe.Handle, default, call, cancellationToken).ConfigureAwait(false);
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.AgentError))
        {
            // Told, and so forgotten.
        }
    }

    private bool HasMore()
    {
        if (_written == _bytes.Length)
        {
            using var next = new MemoryStream();
            lock (_queue)
            {
                while (_queue.Count > 0 && (next.Length == 0 || next.Length + _queue.Peek().Length <= MaxFeedBytes))
                {
                    var bytes = _queue.Dequeue();
                    next.Write(bytes, 0, bytes.Length);
                }
            }

            (_bytes, _written) = (next.ToArray(), 0);
        }

        return _written < _bytes.Length;
    }
}
