using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

/// <summary>What a file has besides its content, as this machine's kernel tells.</summary>
[UnsupportedOSPlatform("windows")]
internal static class FileState
{
    // As the kernel keeps them: version 2; then tag, permissions and id of each entry: user 4321 may read, the mask is as the group.
    private static readonly byte[] AccessList =
        Convert.FromHexString("02000000" + "01000600FFFFFFFF" + "02000400E1100000" + "04000400FFFFFFFF" + "10000400FFFFFFFF" + "20000000FFFFFFFF");

    /// <summary>Gives a file another owner and group, a mode, an ACL and an extended attribute.</summary>
    public static void Decorate(string path, string mode = "2640")
    {
        Assert.SkipUnless(CopyTests.Run("chown", "1234:5678", path) == 0, "This process may not give files away.");
        Assert.Equal(0, CopyTests.Run("chmod", mode, path));
        Assert.SkipUnless(Set(path, "user.note", "kept"u8.ToArray()) == 0, "The file system has no extended attributes.");
        Assert.SkipUnless(Set(path, "system.posix_acl_access", AccessList) == 0, "The file system has no ACLs.");
    }

    /// <summary>Owner, group, mode, number of names, and all extended attributes, of which one is the ACL.</summary>
    public static string Of(string path)
    {
        using var stat = Process.Start(new ProcessStartInfo("stat", ["-c", "%u:%g %a %h", path]) { RedirectStandardOutput = true })!;
        var told = stat.StandardOutput.ReadToEnd().Trim();
        Assert.NotEmpty(told);
        var (names, value) = (new byte[4096], new byte[4096]);
        var length = (int)listxattr(Bytes(path), names, names.Length);
        foreach (var name in Encoding.UTF8.GetString(names, 0, Math.Max(0, length)).Split('\0').Where(name => name.Length > 0).Order(StringComparer.Ordinal))
        {
            told += $" {name}={Convert.ToHexString(value.AsSpan(0, (int)getxattr(Bytes(path), Bytes(name), value, value.Length)))}";
        }

        return told;
    }

    private static int Set(string path, string name, byte[] value) => setxattr(Bytes(path), Bytes(name), value, value.Length, 0);

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text + '\0');

    [DllImport("libc")]
    private static extern int setxattr(byte[] path, byte[] name, byte[] value, nint size, int flags);

    [DllImport("libc")]
    private static extern nint getxattr(byte[] path, byte[] name, byte[] value, nint size);

    [DllImport("libc")]
    private static extern nint listxattr(byte[] path, byte[] names, nint size);
}
