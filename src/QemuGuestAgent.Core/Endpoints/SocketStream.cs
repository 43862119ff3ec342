#if NET
using System.Net.Sockets;

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>
/// A socket that is waited for on the caller's own thread, while no other session of the process waits so; what takes longer, on a thread
/// that only waits. .NET's own waiting hands each part of a reply from thread to thread, and on Linux and macOS it never quite ends: once it
/// has waited for a socket, whatever comes there wakes two threads, read or not. (.NET Framework's sockets cannot do without it.)
/// </summary>
internal sealed class SocketStream : ChannelStream
{
    // Most commands are answered sooner; a thread of the pool is not kept from others' work for longer.
    private static readonly TimeSpan MaxShortWait = TimeSpan.FromMilliseconds(20);

    // Where more guests are slow at once, .NET waits for the rest.
    private const int MaxThreads = 16;

    private static int _waiting;
    private static int _threads;

    private readonly Socket _socket;

    /// <summary>Takes over a socket that is connected.</summary>
    public SocketStream(Socket socket)
    {
        _socket = socket;
        socket.Blocking = false;
    }

    /// <inheritdoc/>
    protected override ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var isAlone = Interlocked.Increment(ref _waiting) == 1;
        try
        {
            if (isAlone && _socket.Poll(MaxShortWait, SelectMode.SelectRead))
            {
                return new(_socket.Receive(buffer.Span));
            }
        }
        catch (SocketException e)
        {
            throw Failure(e);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }

        return ReceiveLateAsync(buffer, isAlone && Volatile.Read(ref _threads) < MaxThreads, cancellationToken);
    }

    /// <inheritdoc/>
    protected override ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var rest = Send(bytes);
        return rest.IsEmpty ? default
            : Volatile.Read(ref _threads) < MaxThreads ? SendOnThreadAsync(rest)
            : SendByDotNetAsync(rest, cancellationToken);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _socket.Dispose();
        }

        base.Dispose(disposing);
    }

    private async ValueTask<int> ReceiveLateAsync(Memory<byte> buffer, bool onThread, CancellationToken cancellationToken)
    {
        try
        {
            if (!onThread)
            {
                return await _socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken).ConfigureAwait(false);
            }

            await OnThreadAsync(() => _socket.Poll(Timeout.InfiniteTimeSpan, SelectMode.SelectRead)).ConfigureAwait(false);
            return _socket.Receive(buffer.Span);
        }
        catch (SocketException e)
        {
            throw Failure(e);
        }
    }

    private async ValueTask SendOnThreadAsync(ReadOnlyMemory<byte> bytes) => await OnThreadAsync(() =>
    {
        for (var rest = bytes; !rest.IsEmpty; rest = Send(rest))
        {
            _socket.Poll(Timeout.InfiniteTimeSpan, SelectMode.SelectWrite);
        }
    }).ConfigureAwait(false);

    private async ValueTask SendByDotNetAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            while (!bytes.IsEmpty)
            {
                bytes = bytes[await _socket.SendAsync(bytes, SocketFlags.None, cancellationToken).ConfigureAwait(false)..];
            }
        }
        catch (SocketException e)
        {
            throw Failure(e);
        }
    }

    // As much as there is room for; returns the rest.
    private ReadOnlyMemory<byte> Send(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var count = _socket.Send(bytes.Span, SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
            {
                break;
            }

            bytes = error == SocketError.Success ? bytes[count..] : throw Failure(new SocketException((int)error));
        }

        return bytes;
    }

    // As .NET's own streams fail.
    private static IOException Failure(SocketException e) => new(e.Message, e);

    private static async Task OnThreadAsync(Action wait)
    {
        Interlocked.Increment(ref _threads);
        try
        {
            await Task.Factory.StartNew(wait, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
                .ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _threads);
        }
    }
}
#endif
