using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>Writes to the named pipe that is the input of a program in a guest. The agent does not wait for room in it.</summary>
internal sealed class InteractiveInput(GuestAgentSession session, GuestFile pipe)
{
    // As much as a pipe takes as a whole or not at all (POSIX: PIPE_BUF, 4096 on Linux), and one page of it.
    private const int PageBytes = 4096;

    // What a pipe has room for (pipe(7): since Linux 2.6.11).
    private const int Pages = 16;

    private readonly Queue<byte[]> _queue = new();
    private readonly List<(long End, int Pages)> _unread = [];
    private byte[] _bytes = [];
    private int _written;
    private int _unflushed;
    private long _allWritten;
    private bool _isErrorSet;

    /// <summary>Takes bytes to be written. From any thread.</summary>
    public void Add(byte[] bytes)
    {
        lock (_queue)
        {
            _queue.Enqueue(bytes);
        }
    }

    /// <summary>Takes note that so many of all bytes were read from the pipe. Not while <see cref="WriteAsync"/> runs.</summary>
    public void ConfirmRead(long count) => _unread.RemoveAll(piece => piece.End <= count);

    /// <summary>Writes the next piece of what was taken, if there is room for it now; whether it did.</summary>
    /// <exception cref="GuestAgentException">Those of a command: part of it may be written.</exception>
    public async Task<bool> WriteAsync(CallOptions call, CancellationToken cancellationToken)
    {
        if (!HasMore())
        {
            return false;
        }

        var room = Math.Max(1, Pages - _unread.Sum(piece => piece.Pages)) * PageBytes;
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
            NoteUnread((count + PageBytes - 1) / PageBytes);
            return true;
        }
        catch (GuestAgentException e) when (count <= PageBytes && e.Is(ErrorCatalogue.AgentError))
        {
            // No room: then nothing of it was taken.
            (_unflushed, _isErrorSet) = (0, true);
            return false;
        }
    }

    private void NoteUnread(int pages)
    {
        if (_unread.Count < Pages)
        {
            _unread.Add((_allWritten, pages));
        }
        else
        {
            // Nobody tells what was read: there is no need to know it exactly.
            _unread[^1] = (_allWritten, _unread[^1].Pages + pages);
        }
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
        lock (_queue)
        {
            while (_queue.Count > 0 && _bytes.Length - _written < Pages * PageBytes)
            {
                (_bytes, _written) = ([.. _bytes.AsSpan(_written), .. _queue.Dequeue()], 0);
            }
        }

        return _written < _bytes.Length;
    }
}
