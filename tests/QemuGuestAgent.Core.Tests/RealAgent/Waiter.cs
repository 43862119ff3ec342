using System.ComponentModel;
using System.Runtime.InteropServices;

namespace QemuGuestAgent.Core.Tests.RealAgent;

/// <summary>Waits for two descriptors, until it is disposed of by another thread.</summary>
internal sealed class Waiter : IDisposable
{
    public const short Readable = 1;
    public const short Writable = 4;

    private const int CloseOnExec = 0x80000;

    private readonly int _end = eventfd(0, CloseOnExec);

    public static short Events(bool read, bool write) => (short)((read ? Readable : 0) | (write ? Writable : 0));

    /// <summary>Moves what is left in a buffer to its front.</summary>
    public static void Shift(byte[] buffer, ref int count, int done)
    {
        buffer.AsSpan(done, count - done).CopyTo(buffer);
        count -= done;
    }

    /// <summary>Waits until one of the events has come; a descriptor below 0 has none.</summary>
    public (bool Ended, short First, short Second) Wait(int first, short firstEvents, int second, short secondEvents)
    {
        PollEntry[] entries =
        [
            new() { Descriptor = _end, Events = Readable },
            new() { Descriptor = firstEvents == 0 ? -1 : first, Events = firstEvents },
            new() { Descriptor = secondEvents == 0 ? -1 : second, Events = secondEvents },
        ];
        while (poll(entries, (nuint)entries.Length, -1) < 0)
        {
            const int interrupted = 4;
            if (Marshal.GetLastPInvokeError() is var error && error != interrupted)
            {
                throw new Win32Exception(error);
            }
        }

        return (entries[0].Returned != 0, entries[1].Returned, entries[2].Returned);
    }

    /// <summary>Ends the waiting of a thread, and waits for the thread.</summary>
    public void End(Thread thread)
    {
        _ = write(_end, [1, 0, 0, 0, 0, 0, 0, 0], sizeof(ulong));
        thread.Join();
    }

    public void Dispose() => _ = close(_end);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int poll([In, Out] PollEntry[] entries, nuint count, int milliseconds);

    [DllImport("libc", SetLastError = true)]
    private static extern int eventfd(uint value, int flags);

    [DllImport("libc")]
    private static extern nint write(int descriptor, byte[] bytes, nint count);

    [DllImport("libc")]
    private static extern int close(int descriptor);
}
