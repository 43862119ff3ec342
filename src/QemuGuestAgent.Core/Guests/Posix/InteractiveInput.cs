using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>Writes to the named pipe that is the input of a program in a guest. The agent does not wait for room in it.</summary>
internal sealed class InteractiveInput(GuestAgentSession session, GuestFile pipe)
{
    // As much as a pipe takes as a whole or not at all (POSIX: PIPE_BUF, 4096 on Linux).
    private const int AtomicBytes = 4096;

    // What an empty pipe has room for (pipe(7): 16 pages since Linux 2.6.11).
    private const int EmptyBytes = 16 * AtomicBytes;

    private readonly Queue<byte[]> _queue = new();
    private byte[] _bytes = [];
    private int _written;
    private int _unflushed;
    private long _allWritten;
    private long _allRead;
    private bool _isErrorSet;

    /// <summary>Takes bytes to be written. From any thread.</summary>
    public void Add(byte[] bytes)
    {
        lock (_queue)
        {
            _queue.Enqueue(bytes);
        }
    }

    /// <summary>Takes note that the first bytes, so many of all, have been read from the pipe. Not while <see cref="WriteAsync"/> runs.</summary>
    public void ConfirmRead(long count) => _allRead = count;

    /// <summary>Writes what was taken, as far as there is room now; whether anything was written.</summary>
    /// <exception cref="GuestAgentException">Those of a command: part of it may be written.</exception>
    public async Task<bool> WriteAsync(CallOptions call, CancellationToken cancellationToken)
    {
        var hasWritten = false;
        while (HasMore())
        {
            var room = _allRead == _allWritten ? EmptyBytes : AtomicBytes;
            var count = _unflushed > 0 ? _unflushed : Math.Min(_bytes.Length - _written, room);
            try
            {
                if (_isErrorSet)
                {
                    // The agent tells of an error again at the next write, done or not, and forgets it then.
                    await ClearErrorAsync(call, cancellationToken).ConfigureAwait(false);
                    _isErrorSet = false;
                }

                // A freeze may come between the two: what the agent has taken is not written again after the thaw.
                if (_unflushed == 0)
                {
                    await session.WriteFileAsync(
                        pipe.Handle, _bytes.AsMemory(_written, count), call, cancellationToken).ConfigureAwait(false);
                    _unflushed = count;
                }

                await session.FlushFileAsync(pipe.Handle, call, cancellationToken).ConfigureAwait(false);
                _unflushed = 0;
                _written += count;
                _allWritten += count;
                hasWritten = true;
            }
            catch (GuestAgentException e) when (count <= AtomicBytes && e.Is(ErrorCatalogue.AgentError))
            {
                // No room: then nothing of it was taken.
                (_unflushed, _isErrorSet) = (0, true);
                break;
            }
        }

        return hasWritten;
    }

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
            lock (_queue)
            {
                (_bytes, _written) = (_queue.Count > 0 ? _queue.Dequeue() : [], 0);
            }
        }

        return _written < _bytes.Length;
    }
}
