using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>
/// Files of this computer by what Linux tells of them once they are open: what has been checked cannot be exchanged then, and nothing
/// waits for the other end of a pipe.
/// </summary>
internal static class LocalDescriptor
{
    // The kernel's numbers. One differs between processors.
    private const int ReadOnly = 0, ReadWrite = 2, NonBlocking = 0x800, CloseOnExec = 0x80000;
    private const int LockExclusive = 2, LockNonBlocking = 4;
    private const int CurrentFolder = -100, EmptyPath = 0x1000;
    private const uint BasicFields = 0x7FF;
    private const int TypeBits = 0xF000, RegularFile = 0x8000, OthersBits = 0x3F; // 0077

    private static readonly int NoFollow =
        RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x8000 : 0x20000;

    /// <summary>Whether this is Linux.</summary>
    public static bool IsSupported { get; } = RuntimeInformation.IsOSPlatform(OSPlatform.Linux);

    /// <summary>Opens a file to be read; null where it is no file.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static FileStream? OpenRead(string path)
    {
        var handle = Open(path, ReadOnly);
        return (Status(handle).Mode & TypeBits) == RegularFile ? new FileStream(handle, FileAccess.Read, bufferSize: 1) : Close(handle);
    }

    /// <summary>
    /// Opens a file to be gone on with; null where it is no file of this user's alone, by owner, mode and number of names, or is in use.
    /// </summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static FileStream? OpenOwn(string path)
    {
        var handle = Open(path, ReadWrite | NoFollow);
        var (mode, owner, names) = Status(handle);
        return (mode & TypeBits) == RegularFile && (mode & OthersBits) == 0 && owner == geteuid() && names == 1
            && flock(handle, LockExclusive | LockNonBlocking) == 0
            ? new FileStream(handle, FileAccess.ReadWrite, bufferSize: 1)
            : Close(handle);
    }

    /// <summary>Whether what is there is a file, or a link to one.</summary>
    public static bool IsFile(string path)
    {
        var status = new byte[256];
        return statx(CurrentFolder, Bytes(path), 0, BasicFields, status) == 0 && (Read(status).Mode & TypeBits) == RegularFile;
    }

    private static SafeFileHandle Open(string path, int flags)
    {
        var handle = open(Bytes(path), flags | NonBlocking | CloseOnExec);
        return handle.IsInvalid ? throw new IOException(new Win32Exception(Marshal.GetLastWin32Error()).Message) : handle;
    }

    private static FileStream? Close(SafeFileHandle handle)
    {
        handle.Dispose();
        return null;
    }

    private static (int Mode, uint Owner, uint Names) Status(SafeFileHandle handle)
    {
        var status = new byte[256];
        return statx(handle, [0], EmptyPath, BasicFields, status) == 0
            ? Read(status)
            : throw new IOException(new Win32Exception(Marshal.GetLastWin32Error()).Message);
    }

    // Where the kernel puts the number of names, the owner and the mode.
    private static (int Mode, uint Owner, uint Names) Read(byte[] status) =>
        (BitConverter.ToUInt16(status, 28), BitConverter.ToUInt32(status, 20), BitConverter.ToUInt32(status, 16));

    private static byte[] Bytes(string path) => Encoding.UTF8.GetBytes(path + '\0');

    [DllImport("libc", SetLastError = true)]
    private static extern SafeFileHandle open(byte[] path, int flags);

    [DllImport("libc", SetLastError = true)]
    private static extern int statx(SafeFileHandle folder, byte[] path, int flags, uint mask, byte[] status);

    [DllImport("libc", SetLastError = true)]
    private static extern int statx(int folder, byte[] path, int flags, uint mask, byte[] status);

    [DllImport("libc")]
    private static extern int flock(SafeFileHandle handle, int operation);

    [DllImport("libc")]
    private static extern uint geteuid();
}
