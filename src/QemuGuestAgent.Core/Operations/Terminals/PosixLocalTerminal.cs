#if NET
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace QemuGuestAgent.Core.Operations.Terminals;

/// <summary>The console of this process, on Linux and macOS.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class PosixLocalTerminal : ConsoleTerminal
{
    private const int Input = 0;

    // Only how soon a read that waits sees that it is cancelled: a key wakes it at once.
    private const int LookMilliseconds = 100;

    // struct termios, which is 60 bytes on Linux and 72 on macOS: libc alone looks into it.
    private const int SettingsBytes = 256;

    private readonly byte[] _before = new byte[SettingsBytes];
    private readonly PosixSignalRegistration _resized;

    /// <summary>Takes the console.</summary>
    public PosixLocalTerminal() => _resized = PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => OnResized());

    /// <inheritdoc/>
    public override string Name => Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } name ? name : "xterm";

    /// <inheritdoc/>
    public override int Read(byte[] buffer, CancellationToken cancellationToken)
    {
        const short readable = 1;
        const int interrupted = 4;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var entry = new PollEntry { Descriptor = Input, Events = readable };
            if (poll(ref entry, 1, LookMilliseconds) <= 0)
            {
                continue;
            }

            // EIO: the terminal has gone.
            var count = (int)read(Input, buffer, buffer.Length);
            if (count >= 0 || Marshal.GetLastPInvokeError() != interrupted)
            {
                return Math.Max(count, 0);
            }
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _resized.Dispose();
        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    protected override void ChangeMode()
    {
        Check(tcgetattr(Input, _before));
        var raw = (byte[])_before.Clone();
        cfmakeraw(raw);
        Check(tcsetattr(Input, 0, raw));
    }

    /// <inheritdoc/>
    // A terminal that has gone needs none.
    protected override void RestoreMode() => _ = tcsetattr(Input, 0, _before);

    private static void Check(int result)
    {
        if (result < 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int poll(ref PollEntry entry, nuint count, int milliseconds);

    [DllImport("libc", SetLastError = true)]
    private static extern nint read(int descriptor, [Out] byte[] buffer, nint count);

    [DllImport("libc", SetLastError = true)]
    private static extern int tcgetattr(int descriptor, [Out] byte[] settings);

    [DllImport("libc", SetLastError = true)]
    private static extern int tcsetattr(int descriptor, int actions, byte[] settings);

    [DllImport("libc")]
    private static extern void cfmakeraw([In, Out] byte[] settings);
}
#endif
