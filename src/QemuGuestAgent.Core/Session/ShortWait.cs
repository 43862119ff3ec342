#if NET
using System.Net.Sockets;

namespace QemuGuestAgent.Core.Session;

/// <summary>
/// Waits for a reply on the caller's own thread, while no other session of the process waits for one: .NET hands what comes later from
/// thread to thread, and a large reply once for each part of it. (.NET Framework's streams hide their socket.)
/// </summary>
internal static class ShortWait
{
    // Most commands are answered sooner; a thread of the pool is not kept from others' work for longer.
    private static readonly TimeSpan MaxWait = TimeSpan.FromMilliseconds(20);

    private static int _waiting;

    /// <summary>Waits until there is something to read, or for too long. <see cref="End"/> follows once it was read.</summary>
    /// <param name="stream">The stream that will be read; one that is not of a socket is not waited for.</param>
    public static void Begin(Stream stream)
    {
        if (Interlocked.Increment(ref _waiting) == 1 && stream is NetworkStream network)
        {
            network.Socket.Poll(MaxWait, SelectMode.SelectRead);
        }
    }

    /// <summary>Ends the wait.</summary>
    public static void End() => Interlocked.Decrement(ref _waiting);
}
#endif
