#if NET
using System.Runtime.InteropServices;
using System.Text;
#endif

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>The one path of a file that may have several, by links: /var/run is /run.</summary>
internal static class RealPath
{
    /// <summary>The path without links; as it is where it leads nowhere, or the system has none.</summary>
    public static string Of(string path)
    {
#if NET
        if (!OperatingSystem.IsWindows())
        {
            Span<byte> resolved = stackalloc byte[PathBytes];
            return realpath(Encoding.UTF8.GetBytes(path + '\0'), ref resolved[0]) != 0
                ? Encoding.UTF8.GetString(resolved[..resolved.IndexOf((byte)0)])
                : path;
        }
#endif
        return path;
    }

#if NET
    // PATH_MAX of Linux; no system that this runs on has a longer one.
    private const int PathBytes = 4096;

    [DllImport("libc")]
    private static extern nint realpath(byte[] path, ref byte resolved);
#endif
}
