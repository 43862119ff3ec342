#if NET
using System.Runtime.InteropServices;
using System.Text;
#endif

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>The status of a path on Linux and macOS, of a link itself if it is one; .NET does not provide the owner.</summary>
/// <param name="Mode">Its kind and its permissions.</param>
/// <param name="Owner">The id of its owner.</param>
/// <param name="Links">How many names it has.</param>
internal readonly record struct FileStatus(int Mode, uint Owner, uint Links)
{
    private const int KindMask = 0xF000;
    private const int Sticky = 0x200;
    private const int OthersWrite = 2;

    /// <summary>The user id of this process.</summary>
#if NET
    public static uint User => OperatingSystem.IsWindows() ? 0 : geteuid();
#else
    public static uint User => 0;
#endif

    /// <summary>Whether it is a regular file.</summary>
    public bool IsFile => (Mode & KindMask) == 0x8000;

    /// <summary>Whether it is a folder.</summary>
    public bool IsFolder => (Mode & KindMask) == 0x4000;

    /// <summary>Whether it is a symbolic link.</summary>
    public bool IsLink => (Mode & KindMask) == 0xA000;

    /// <summary>Whether only the owner can read or write it.</summary>
    public bool IsPrivate => (Mode & 0x3F) == 0;

    /// <summary>Whether any user can create files in the folder.</summary>
    public bool TakesFromAll => (Mode & OthersWrite) != 0;

    /// <summary>Whether any user can replace files of others in the folder.</summary>
    public bool IsOpenToAll => TakesFromAll && (Mode & Sticky) == 0;

    /// <summary>The status of a path; null if it does not exist or this account cannot read it.</summary>
    public static FileStatus? Of(string path)
    {
#if NET
        // struct statx has 256 bytes, struct stat of macOS 144.
        const int maxBytes = 256;
        var name = Encoding.UTF8.GetBytes(path + '\0');
        Span<byte> found = stackalloc byte[maxBytes];
        if (OperatingSystem.IsLinux())
        {
            // Not struct stat, which differs by processor.
            const int workingFolder = -100;
            const int noFollow = 0x100;
            const uint basics = 0x7FF;
            return statx(workingFolder, name, noFollow, basics, ref found[0]) != 0 ? null
                : new FileStatus(BitConverter.ToUInt16(found[28..]), BitConverter.ToUInt32(found[20..]), BitConverter.ToUInt32(found[16..]));
        }

        if (OperatingSystem.IsMacOS())
        {
            var result = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? lstat64(name, ref found[0]) : lstat(name, ref found[0]);
            return result != 0 ? null
                : new FileStatus(BitConverter.ToUInt16(found[4..]), BitConverter.ToUInt32(found[16..]), BitConverter.ToUInt16(found[6..]));
        }

#endif
        return null;
    }

#if NET
    [DllImport("libc")]
    private static extern uint geteuid();

    [DllImport("libc")]
    private static extern int statx(int folder, byte[] path, int flags, uint mask, ref byte found);

    [DllImport("libc")]
    private static extern int lstat(byte[] path, ref byte found);

    [DllImport("libc", EntryPoint = "lstat$INODE64")]
    private static extern int lstat64(byte[] path, ref byte found);
#endif
}
