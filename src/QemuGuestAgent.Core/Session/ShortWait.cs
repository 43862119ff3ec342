#if NET
using System.Diagnostics;
using System.Net.Sockets;

namespace QemuGuestAgent.Core.Session;

/// <summary>
/// Waits for a reply on the caller's own thread, while no other session of the process waits for one: that is faster than to be handed
/// from thread to thread. Once a reply has taken longer there is no more of it, for .NET has taken the socket over by then, and wakes
/// threads for each of its bytes. (.NET Framework's streams hide their socket.)
/// </summary>
internal sealed class ShortWait
{
    // Most commands are answered sooner; a thread of the pool is not kept from others' work for longer.
    private static readonly TimeSpan Most = TimeSpan.FromMilliseconds(20);

    // The least that poll(2) can wait.
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(1);

    private static int _waiting;

    private bool _isOver;

    /// <summary>Begins to wait, until there is something to read or it takes too long. <see cref="End"/> follows once it was read.</summary>
    /// <param name="stream">The stream that will be read; one that is not of a socket is not waited for.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public void Begin(Stream stream, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _waiting);
        if (_isOver || stream is not NetworkStream network)
        {
            return;
        }

        var start = Stopwatch.GetTimestamp();
        do
        {
            if (cancellationToken.IsCancellationRequested || Volatile.Read(ref _waiting) > 1 || Stopwatch.GetElapsedTime(start) > Most)
            {
                _isOver = true;
                return;
            }
        }
        while (!network.Socket.Poll(Slice, SelectMode.SelectRead));
    }

    /// <summary>Ends the wait.</summary>
    public static void End() => Interlocked.Decrement(ref _waiting);
}
#endif
