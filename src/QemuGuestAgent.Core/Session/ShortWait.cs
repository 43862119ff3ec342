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
    // MaxWait commands are answered sooner; a thread of the pool is not kept from others' work for longer.
    private static readonly TimeSpan MaxWait = TimeSpan.FromMilliseconds(20);

    // The least that poll(2) can wait.
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(1);

    // An agent that runs on another core has mostly answered by then; to be put to sleep and woken takes as long, and as much of a core.
    private static readonly TimeSpan Spin = Environment.ProcessorCount > 1 ? TimeSpan.FromMicroseconds(100) : TimeSpan.Zero;

    private static int _waiting;

    private bool _isOver;
    private bool _yields = true;

    /// <summary>Begins to wait, until there is something to read or it takes too long. <see cref="End"/> follows once it was read.</summary>
    /// <param name="stream">The stream that will be read; one that is not of a socket is not waited for.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public void Begin(Stream stream, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _waiting);
        if (_isOver || stream is not NetworkStream network)
        {
            return;
        }

        var start = Stopwatch.GetTimestamp();
        var waited = TimeSpan.Zero;
        while (!network.Socket.Poll(waited < Spin ? TimeSpan.Zero : Slice, SelectMode.SelectRead))
        {
            if (cancellationToken.IsCancellationRequested || Volatile.Read(ref _waiting) > 1 || waited > MaxWait)
            {
                _isOver = true;
                return;
            }

            if (waited < Spin && _yields)
            {
                // The kernel may have put the agent on this core; what else waits for the core is not let in a second time.
                Thread.Yield();
                _yields = Stopwatch.GetElapsedTime(start) - waited < Slice;
            }

            waited = Stopwatch.GetElapsedTime(start);
        }
    }

    /// <summary>Ends the wait.</summary>
    public static void End() => Interlocked.Decrement(ref _waiting);
}
#endif
