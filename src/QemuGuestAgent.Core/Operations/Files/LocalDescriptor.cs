using System.ComponentModel;
using System.Globalization;
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
    private const int ReadOnly = 0, ReadWrite = 2, PathOnly = 0x200000, NonBlocking = 0x800, CloseOnExec = 0x80000;
    private const int CurrentFolder = -100, EmptyPath = 0x1000;
    private const uint BasicFields = 0x7FF;
    private const int TypeBits = 0xF000, RegularFile = 0x8000, OthersBits = 0x3F; // 0077
    private const int StickyBit = 0x200, OthersWrite = 0x2, GroupWrites = 0x10, ModeBits = 0xFFF;
    private const int NoFollowAt = 0x100, MaxPath = 4096, MaxAttribute = 65536;
    private const int NoData = 61, NotSupported = 95;
    private const string AccessList = "system.posix_acl_access";

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
    /// Opens a file to be gone on with; null where it is no file of this user's alone, by owner, mode and number of names.
    /// </summary>
    /// <exception cref="IOException">It cannot be opened, or is in use.</exception>
    public static FileStream? OpenOwn(string path)
    {
        using var held = Open(path, PathOnly | NoFollow);
        var (mode, owner, _, names) = Status(held);

        // .NET's own lock: closing ends it even while a process that is being started still has the descriptor.
        return (mode & TypeBits) == RegularFile && (mode & OthersBits) == 0 && owner == geteuid() && names == 1
            ? new FileStream(HeldPath(held), FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 1)
            : null;
    }

    /// <summary>Whether what is there is a file, or a link to one.</summary>
    public static bool IsFile(string path)
    {
        var status = new byte[256];
        return statx(CurrentFolder, Bytes(path), 0, BasicFields, status) == 0 && (Read(status).Mode & TypeBits) == RegularFile;
    }

    /// <summary>Holds what stands there, whatever happens to its name, without opening it; null where it is no file.</summary>
    /// <exception cref="IOException">It cannot be looked at.</exception>
    public static SafeFileHandle? Hold(string path)
    {
        var handle = Open(path, PathOnly | NoFollow);
        if ((Status(handle).Mode & TypeBits) == RegularFile)
        {
            return handle;
        }

        handle.Dispose();
        return null;
    }

    /// <summary>Opens a file that is held, to be written.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static FileStream OpenHeld(SafeFileHandle held) =>
        new(Open(HeldPath(held), ReadWrite), FileAccess.ReadWrite, bufferSize: 1);

    /// <summary>How many names a file has.</summary>
    public static uint Names(SafeFileHandle held) => Status(held).Names;

    /// <summary>
    /// Gives a file owner, group, mode, ACL, extended attributes and label of another one that is held; false where one of them cannot be.
    /// </summary>
    public static bool CopyAttributes(SafeFileHandle from, SafeFileHandle to)
    {
        var (mode, owner, group, _) = Status(from);
        var (_, hasOwner, hasGroup, _) = Status(to);
        if (((owner, group) != (hasOwner, hasGroup) && fchown(to, owner, group) != 0)
            || (fremovexattr(to, Bytes(AccessList)) != 0 && Marshal.GetLastWin32Error() is not (NoData or NotSupported)))
        {
            return false;
        }

        var path = Bytes(HeldPath(from));
        var names = new byte[MaxAttribute];
        var length = (long)listxattr(path, names, (nuint)names.Length);
        if (length < 0)
        {
            return Marshal.GetLastWin32Error() == NotSupported && fchmod(to, mode & ModeBits) == 0;
        }

        var (value, has) = (new byte[MaxAttribute], new byte[MaxAttribute]);
        foreach (var name in Encoding.UTF8.GetString(names, 0, (int)length).Split(['\0'], StringSplitOptions.RemoveEmptyEntries).Select(Bytes))
        {
            var size = (int)getxattr(path, name, value, (nuint)value.Length);
            if (size < 0)
            {
                return false;
            }

            // The label may be the same already, where it may not be set.
            var isSame = (int)fgetxattr(to, name, has, (nuint)has.Length) == size && value.AsSpan(0, size).SequenceEqual(has.AsSpan(0, size));
            if (!isSame && fsetxattr(to, name, value, (nuint)size, 0) != 0)
            {
                return false;
            }
        }

        return fchmod(to, mode & ModeBits) == 0;
    }

    /// <summary>Whether a link, or a file, belongs to this user or to root.</summary>
    public static bool IsOwn(string path) => IsOwn(Status(path).Owner);

    /// <summary>Whether a file that is held belongs to this user or to root.</summary>
    public static bool IsOwn(SafeFileHandle held) => IsOwn(Status(held).Owner);

    /// <summary>Whether everybody can create files in a folder, and none can remove those of others.</summary>
    public static bool IsForAll(string folder) => (Status(folder).Mode & (StickyBit | OthersWrite)) == (StickyBit | OthersWrite);

    /// <summary>Whether no other user can change what is on the way to a folder without links, or in it.</summary>
    public static bool IsSafe(string folder)
    {
        for (string? at = folder; at is not null; at = Path.GetDirectoryName(at))
        {
            var (mode, owner, _, _) = Status(at);
            if (!IsOwn(owner) || ((mode & (GroupWrites | OthersWrite)) != 0 && (mode & StickyBit) == 0))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The path of a folder, without links.</summary>
    /// <exception cref="IOException">It is not there.</exception>
    public static string RealPath(string folder)
    {
        var real = new byte[MaxPath + 1];
        return realpath(Bytes(folder), real) != IntPtr.Zero
            ? Encoding.UTF8.GetString(real, 0, Array.IndexOf(real, (byte)0))
            : throw new IOException(new Win32Exception(Marshal.GetLastWin32Error()).Message);
    }

    /// <summary>The owner of what stands there: his name, or his number where he is not one of this computer's own.</summary>
    public static string Owner(string path)
    {
        var number = Status(path).Owner.ToString(CultureInfo.InvariantCulture);
        return File.ReadLines("/etc/passwd").Select(line => line.Split(':')).FirstOrDefault(user => user.Length > 2 && user[2] == number)?[0] ?? number;
    }

    private static bool IsOwn(uint owner) => owner == 0 || owner == geteuid();

    private static string HeldPath(SafeFileHandle held) => $"/proc/self/fd/{held.DangerousGetHandle()}";

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

    // Of a link, its own.
    private static (int Mode, uint Owner, uint Group, uint Names) Status(string path)
    {
        var status = new byte[256];
        return statx(CurrentFolder, Bytes(path), NoFollowAt, BasicFields, status) == 0
            ? Read(status)
            : throw new IOException(new Win32Exception(Marshal.GetLastWin32Error()).Message);
    }

    private static (int Mode, uint Owner, uint Group, uint Names) Status(SafeFileHandle handle)
    {
        var status = new byte[256];
        return statx(handle, [0], EmptyPath, BasicFields, status) == 0
            ? Read(status)
            : throw new IOException(new Win32Exception(Marshal.GetLastWin32Error()).Message);
    }

    // Where the kernel puts the number of names, the owner, the group and the mode.
    private static (int Mode, uint Owner, uint Group, uint Names) Read(byte[] status) => (
        BitConverter.ToUInt16(status, 28), BitConverter.ToUInt32(status, 20), BitConverter.ToUInt32(status, 24),
        BitConverter.ToUInt32(status, 16));

    private static byte[] Bytes(string path) => Encoding.UTF8.GetBytes(path + '\0');

    [DllImport("libc", SetLastError = true)]
    private static extern SafeFileHandle open(byte[] path, int flags);

    [DllImport("libc", SetLastError = true)]
    private static extern int statx(SafeFileHandle folder, byte[] path, int flags, uint mask, byte[] status);

    [DllImport("libc", SetLastError = true)]
    private static extern int statx(int folder, byte[] path, int flags, uint mask, byte[] status);

    [DllImport("libc")]
    private static extern uint geteuid();

    [DllImport("libc")]
    private static extern int fchown(SafeFileHandle handle, uint owner, uint group);

    [DllImport("libc")]
    private static extern int fchmod(SafeFileHandle handle, int mode);

    [DllImport("libc", SetLastError = true)]
    private static extern IntPtr realpath(byte[] path, byte[] real);

    [DllImport("libc", SetLastError = true)]
    private static extern nint listxattr(byte[] path, byte[] names, nuint size);

    [DllImport("libc")]
    private static extern nint getxattr(byte[] path, byte[] name, byte[] value, nuint size);

    [DllImport("libc")]
    private static extern nint fgetxattr(SafeFileHandle handle, byte[] name, byte[] value, nuint size);

    [DllImport("libc")]
    private static extern int fsetxattr(SafeFileHandle handle, byte[] name, byte[] value, nuint size, int flags);

    [DllImport("libc", SetLastError = true)]
    private static extern int fremovexattr(SafeFileHandle handle, byte[] name);
}
