#if NET
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>A terminal device of Linux as a stream of bytes. .NET's own file streams cannot be closed under a read that waits for a terminal.</summary>
internal sealed class TerminalStream : ChannelStream
{
    private const short Readable = 1;
    private const short Writable = 4;

    // Only how soon a read that waits sees that the stream was closed: what comes from the port wakes it at once.
    private const int LookMilliseconds = 100;

    private readonly object _gate = new();
    private readonly SafeFileHandle _device;
    private bool _isClosed;

    /// <summary>Opens the device, raw.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="speed">The speed as Linux calls it.</param>
    /// <exception cref="Win32Exception">The error of Linux.</exception>
    public TerminalStream(string path, uint speed)
    {
        const int readWrite = 2;
        const int noControllingTerminal = 0x100;
        const int nonBlocking = 0x800;
        const int closeOnExec = 0x80000;
        _device = new SafeFileHandle(
            Checked(open(Encoding.UTF8.GetBytes(path + '\0'), readWrite | noControllingTerminal | nonBlocking | closeOnExec)), ownsHandle: true);
        try
        {
            // Nothing is flushed: what is under way belongs to the protocol, which synchronises.
            var settings = new Settings { Rest = new byte[Settings.RestBytes] };
            Checked(tcgetattr(_device, ref settings));
            cfmakeraw(ref settings);
            settings.Control = (settings.Control | Settings.Receiver | Settings.NoModem) & ~Settings.HardwareFlowControl;
            Checked(cfsetspeed(ref settings, speed));
            Checked(tcsetattr(_device, 0, ref settings));
        }
        catch
        {
            _device.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    protected override ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken) =>
        TryRead(buffer.Span) is { } count ? new(count) : new(OnItsOwnThread(() => Read(buffer.Span, cancellationToken)));

    /// <inheritdoc/>
    protected override ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var rest = bytes[TryWrite(bytes.Span)..];
        return rest.IsEmpty ? default : new(OnItsOwnThread(() => Write(rest.Span, cancellationToken)));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        lock (_gate)
        {
            _isClosed = true;
            _device.Dispose();
        }

        base.Dispose(disposing);
    }

    // A thread of the pool would be missed by others for as long as the port is silent.
    private static Task<int> OnItsOwnThread(Func<int> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private int Read(Span<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            Wait(Readable, cancellationToken);
            if (TryRead(buffer) is { } count)
            {
                return count;
            }
        }
    }

    private int Write(ReadOnlySpan<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
        {
            Wait(Writable, cancellationToken);
            bytes = bytes[TryWrite(bytes)..];
        }

        return 0;
    }

    private int? TryRead(Span<byte> buffer)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            return Count(read(_device, ref MemoryMarshal.GetReference(buffer), buffer.Length));
        }
    }

    private int TryWrite(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            return Count(write(_device, in MemoryMarshal.GetReference(bytes), bytes.Length)) ?? 0;
        }
    }

    // Null where it would have to wait.
    private static int? Count(nint result)
    {
        const int interrupted = 4;
        const int again = 11;
        return result >= 0 ? (int)result
            : Marshal.GetLastPInvokeError() is var error && error is interrupted or again ? null
            : throw new IOException(Marshal.GetPInvokeErrorMessage(error));
    }

    private void Wait(short events, CancellationToken cancellationToken)
    {
        // Closed meanwhile, the number may be another file's: that is only looked at, and never read.
        var entry = new PollEntry { Descriptor = (int)_device.DangerousGetHandle(), Events = events };
        _ = poll(ref entry, 1, LookMilliseconds);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private static int Checked(int result) => result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError());

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    // struct termios; what lies behind the flags differs, and is left to libc.
    [StructLayout(LayoutKind.Sequential)]
    private struct Settings
    {
        public const int RestBytes = 128;
        public const uint Receiver = 0x80;
        public const uint NoModem = 0x800;
        public const uint HardwareFlowControl = 0x80000000;

        public uint Input;
        public uint Output;
        public uint Control;
        public uint Local;

        [MarshalAs(UnmanagedType.ByValArray, SizeConst = RestBytes)]
        public byte[] Rest;
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int open(byte[] path, int flags);

    [DllImport("libc", SetLastError = true)]
    private static extern nint read(SafeFileHandle descriptor, ref byte buffer, nint count);

    [DllImport("libc", SetLastError = true)]
    private static extern nint write(SafeFileHandle descriptor, in byte buffer, nint count);

    [DllImport("libc", SetLastError = true)]
    private static extern int poll(ref PollEntry entry, nuint count, int milliseconds);

    [DllImport("libc", SetLastError = true)]
    private static extern int tcgetattr(SafeFileHandle descriptor, ref Settings settings);

    [DllImport("libc", SetLastError = true)]
    private static extern int tcsetattr(SafeFileHandle descriptor, int actions, ref Settings settings);

    [DllImport("libc")]
    private static extern void cfmakeraw(ref Settings settings);

    [DllImport("libc", SetLastError = true)]
    private static extern int cfsetspeed(ref Settings settings, uint speed);
}
#endif
