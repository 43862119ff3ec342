using System.Security.Cryptography;
using System.Text;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>
/// Keeps two sessions of this host from talking across each other on one channel. Advisory: it hinders no other tool. It is the system's
/// lock of an empty file, so that it ends with its process, however that ends.
/// </summary>
internal sealed class EndpointLock : IDisposable
{
    private const int HashBytes = 16;

    private readonly FileStream _file;

    private EndpointLock(FileStream file) => _file = file;

    /// <summary>Takes the lock of an endpoint.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="tell">Is told where the system does not let the lock be taken: it is done without then.</param>
    /// <returns>What gives the lock back; null where there is none to take.</returns>
    /// <exception cref="GuestAgentException">EndpointInUse.</exception>
    public static EndpointLock? Take(GuestAgentEndpoint endpoint, Action<string> tell)
    {
        if (endpoint.LockName is not { } name)
        {
            return null;
        }

        var path = PathOf(name);
        try
        {
            return new EndpointLock(Open(path));
        }
        catch (IOException e) when (IsHeld(e))
        {
            throw ErrorCatalogue.EndpointInUse.Because(e, endpoint, endpoint, Holder(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            tell($"Other sessions are not kept from '{endpoint}': {e.Message}");
            return null;
        }
    }

    /// <summary>The file for a channel: where all users may write, and nothing is tidied away meanwhile.</summary>
    public static string PathOf(string name)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
#if NET
        var hash = Convert.ToHexString(SHA256.HashData(bytes), 0, HashBytes);
#else
        using var sha = SHA256.Create();
        var hash = BitConverter.ToString(sha.ComputeHash(bytes), 0, HashBytes).Replace("-", "");
#endif
        return Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"QemuGuestAgent-{hash}");
    }

    /// <summary>Gives the lock back.</summary>
    public void Dispose() => _file.Dispose();

    private static FileStream Open(string path)
    {
        while (true)
        {
            try
            {
                // Reading is enough for the lock, and the file may be another user's.
                return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.None);
            }
            catch (FileNotFoundException)
            {
                if (TryMake(path) is { } made)
                {
                    return made;
                }
            }
        }
    }

    private static FileStream? TryMake(string path)
    {
        try
        {
            var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
#if NET
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
            }
#endif
            return file;
        }
        catch (IOException e) when (!IsHeld(e) && File.Exists(path))
        {
            // Another one has just made it.
            return null;
        }
    }

    // ERROR_SHARING_VIOLATION of Windows; EWOULDBLOCK of Linux and of macOS.
    private static bool IsHeld(IOException e) => (e.HResult & 0xFFFF) is 32 or 11 or 35;

    // Linux tells which process has the file locked; of other users' processes it tells root only.
    private static string Holder(string path)
    {
#if NET
        if (OperatingSystem.IsLinux())
        {
            var file = RealPath.Of(path);
            foreach (var process in Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])))
            {
                try
                {
                    if (Directory.EnumerateFiles($"{process}/fd").Any(descriptor => new FileInfo(descriptor).LinkTarget == file
                        && File.ReadAllText($"{process}/fdinfo/{Path.GetFileName(descriptor)}").Contains("FLOCK")))
                    {
                        return Path.GetFileName(process) == $"{Environment.ProcessId}" ? "another session of this process"
                            : $"process {Path.GetFileName(process)} ({File.ReadAllText($"{process}/comm").Trim()})";
                    }
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    // Gone meanwhile, or another user's.
                }
            }
        }
#endif
        return "a process that this account may not look at";
    }
}
