using System.ComponentModel;
using System.Runtime.InteropServices;

namespace QemuGuestAgent.Core.Tests.RealAgent;

/// <summary>A pseudo terminal. No child inherits its descriptors.</summary>
internal sealed class Pty : IDisposable
{
    private const int ReadWrite = 2;
    private const int NoControllingTerminal = 0x100;
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;
    private const int Again = 11;

    // Larger than any termios of Linux.
    private const int TermiosBytes = 256;

    // Held open, so that the master does not hang up while no agent runs.
    private readonly int _slave;

    /// <summary>Makes one.</summary>
    /// <param name="isRaw">Without any terminal manners; else as it comes: it echoes, and waits for whole lines.</param>
    public Pty(bool isRaw = true)
    {
        Master = Checked(posix_openpt(ReadWrite | NoControllingTerminal | NonBlocking | CloseOnExec));
        Checked(grantpt(Master));
        Checked(unlockpt(Master));
        var name = new byte[64];
        if (ptsname_r(Master, name, name.Length) != 0)
        {
            throw new Win32Exception();
        }

        SlavePath = System.Text.Encoding.ASCII.GetString(name).TrimEnd('\0');
        _slave = Checked(open(name, ReadWrite | NoControllingTerminal | CloseOnExec));
        if (!isRaw)
        {
            return;
        }

        var termios = new byte[TermiosBytes];
        Checked(tcgetattr(_slave, termios));
        cfmakeraw(termios);
        Checked(tcsetattr(_slave, 0, termios));
    }

    /// <summary>The descriptor of the host's end.</summary>
    public int Master { get; }

    /// <summary>The agent's end.</summary>
    public string SlavePath { get; }

    /// <summary>Reads what has come; 0 where nothing has.</summary>
    public int Read(byte[] buffer) => Count(read(Master, buffer, buffer.Length));

    /// <summary>Writes what fits; returns how much.</summary>
    public int Write(byte[] bytes, int count) => Count(write(Master, bytes, count));

    public void Dispose()
    {
        _ = close(_slave);
        _ = close(Master);
    }

    private static int Count(nint result) =>
        result >= 0 ? (int)result
        : Marshal.GetLastPInvokeError() is var error && error == Again ? 0
        : throw new Win32Exception(error);

    private static int Checked(int result) => result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError());

    [DllImport("libc", SetLastError = true)]
    private static extern int posix_openpt(int flags);

    [DllImport("libc", SetLastError = true)]
    private static extern int grantpt(int descriptor);

    [DllImport("libc", SetLastError = true)]
    private static extern int unlockpt(int descriptor);

    [DllImport("libc", SetLastError = true)]
    private static extern int ptsname_r(int descriptor, byte[] name, nint length);

    [DllImport("libc", SetLastError = true)]
    private static extern int open(byte[] path, int flags);

    [DllImport("libc", SetLastError = true)]
    private static extern int close(int descriptor);

    [DllImport("libc", SetLastError = true)]
    private static extern nint read(int descriptor, byte[] buffer, nint count);

    [DllImport("libc", SetLastError = true)]
    private static extern nint write(int descriptor, byte[] buffer, nint count);

    [DllImport("libc", SetLastError = true)]
    private static extern int tcgetattr(int descriptor, byte[] termios);

    [DllImport("libc", SetLastError = true)]
    private static extern int tcsetattr(int descriptor, int actions, byte[] termios);

    [DllImport("libc")]
    private static extern void cfmakeraw([In, Out] byte[] termios);
}
