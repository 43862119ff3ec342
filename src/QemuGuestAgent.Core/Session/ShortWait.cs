#if NET
using System.Net.Sockets;

namespace QemuGuestAgent.Core.Session;

/// <summary>
/// Waits for bytes on the caller's own thread, for a moment: most replies are there sooner than an asynchronous read takes to hand its
/// caller from thread to thread. Where they are not, it no longer waits for a while. (.NET Framework's streams hide their socket.)
/// </summary>
internal sealed class ShortWait
{
    private const int MaxSkips = 64;

    // The least that poll(2) can wait.
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    // Threads that wait do no work: with many guests at once there must be others.
    private static int _waiting;

    private int _skipsLeft;
    private int _nextSkips = 1;

    /// <summary>Waits until there is something to read, or the moment is over.</summary>
    /// <param name="stream">The stream that will be read; one that is not of a socket is not waited for.</param>
    public void Pause(Stream stream)
    {
        if (stream is not NetworkStream network)
        {
            return;
        }

        if (_skipsLeft > 0)
        {
            _skipsLeft--;
            return;
        }

        try
        {
            if (Interlocked.Increment(ref _waiting) <= Environment.ProcessorCount)
            {
                _nextSkips = network.Socket.Poll(Moment, SelectMode.SelectRead) ? 1 : Math.Min(2 * _nextSkips, MaxSkips);
                _skipsLeft = _nextSkips - 1;
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }
}
#endif
