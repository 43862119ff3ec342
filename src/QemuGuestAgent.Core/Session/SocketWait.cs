#if NET
using System.Net.Sockets;

namespace QemuGuestAgent.Core.Session;

/// <summary>
/// Waits for a socket: on the caller's own thread, while no other session of the process waits for a reply; what takes longer, on a thread
/// that only waits. .NET's own waiting hands each part of a reply from thread to thread, and on Linux and macOS it never quite ends: once it
/// has waited for a socket, whatever comes there wakes two threads, read or not. (.NET Framework's streams hide their socket.)
/// </summary>
internal static class SocketWait
{
    // Most commands are answered sooner; a thread of the pool is not kept from others' work for longer.
    private static readonly TimeSpan MaxShortWait = TimeSpan.FromMilliseconds(20);

    // Where more guests are slow at once, .NET waits for the rest.
    private const int MaxThreads = 16;

    private static int _waiting;
    private static int _threads;

    /// <summary>Waits until there is something to read, or for too long. <see cref="End"/> follows once it was read.</summary>
    /// <param name="stream">The stream that will be read; one that is not of a socket is not waited for.</param>
    /// <returns>Whether nothing came, and <see cref="ForReadingAsync"/> is to wait for it: then this wait has ended.</returns>
    public static bool Begin(Stream stream)
    {
        var isLate = Interlocked.Increment(ref _waiting) == 1 && stream is NetworkStream { Socket: var socket }
            && !socket.Poll(MaxShortWait, SelectMode.SelectRead) && Volatile.Read(ref _threads) < MaxThreads;
        if (isLate)
        {
            // A guest that does not answer keeps none from waiting so.
            End();
        }

        return isLate;
    }

    /// <summary>Ends the wait.</summary>
    public static void End() => Interlocked.Decrement(ref _waiting);

    /// <summary>Waits until there is something to read, or the stream is closed.</summary>
    /// <param name="stream">The stream of a socket.</param>
    public static Task ForReadingAsync(Stream stream)
    {
        var socket = ((NetworkStream)stream).Socket;
        return OnThreadAsync(() => socket.Poll(Timeout.InfiniteTimeSpan, SelectMode.SelectRead));
    }

    /// <summary>Writes to a socket that does not block.</summary>
    public static Task WriteAsync(NetworkStream stream, ReadOnlyMemory<byte> bytes)
    {
        var rest = Send(stream.Socket, bytes);
        return rest.IsEmpty ? Task.CompletedTask
            : Volatile.Read(ref _threads) < MaxThreads ? WriteOnThreadAsync(stream.Socket, rest)
            : stream.WriteAsync(rest, CancellationToken.None).AsTask();
    }

    private static Task WriteOnThreadAsync(Socket socket, ReadOnlyMemory<byte> bytes) => OnThreadAsync(() =>
    {
        for (var rest = bytes; !rest.IsEmpty; rest = Send(socket, rest))
        {
            socket.Poll(Timeout.InfiniteTimeSpan, SelectMode.SelectWrite);
        }
    });

    // As much as there is room for; returns the rest.
    private static ReadOnlyMemory<byte> Send(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var count = socket.Send(bytes.Span, SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
            {
                break;
            }

            bytes = error == SocketError.Success ? bytes[count..] : throw new SocketException((int)error);
        }

        return bytes;
    }

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
