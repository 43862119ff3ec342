using System.Security.Cryptography;
using System.Text;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>
/// Keeps two sessions of one user on this host from using the same channel. It is advisory: it does not affect other tools. It is
/// the operating system's lock on an empty file, so that it ends with its process, however that ends.
/// </summary>
internal sealed class EndpointLock : IDisposable
{
    private const int HashBytes = 16;

    private readonly FileStream _file;

    private EndpointLock(FileStream file) => _file = file;

    /// <summary>Acquires the lock of an endpoint.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="tell">Receives a message if the lock cannot be acquired: then the session works without one.</param>
    /// <param name="taken">An object that releases the lock; null if there is nothing to lock, or another session holds it.</param>
    /// <returns>Whether the endpoint can be used: false if another session holds the lock.</returns>
    public static bool TryTake(GuestAgentEndpoint endpoint, Action<string> tell, out EndpointLock? taken)
    {
        taken = null;
        if (endpoint.LockName is not { } name)
        {
            return true;
        }

        try
        {
            taken = new EndpointLock(Open(PathOf(name, tell)));
            return true;
        }
        catch (IOException e) when (IsHeld(e))
        {
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            tell($"'{endpoint}' is not locked against other sessions: {e.Message}");
            return true;
        }
    }

    /// <summary>The error for an endpoint whose lock another session holds, with who that is.</summary>
    public static GuestAgentException InUse(GuestAgentEndpoint endpoint) =>
        ErrorCatalogue.EndpointInUse.With(endpoint, Holder(PathOf(endpoint.LockName!, _ => { })));

    /// <summary>The name of a channel's lock file.</summary>
    internal static string FileName(string name)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
#if NET
        return Convert.ToHexString(SHA256.HashData(bytes), 0, HashBytes);
#else
        using var sha = SHA256.Create();
        return BitConverter.ToString(sha.ComputeHash(bytes), 0, HashBytes).Replace("-", "");
#endif
    }

    /// <summary>Releases the lock.</summary>
    public void Dispose() => _file.Dispose();

    private static string PathOf(string name, Action<string> tell) => Path.Combine(UserFolder.ForLocks(tell), FileName(name));

    // .NET removes the file before it releases the lock, and a session that waited for the lock of a removed file opens it again.
    private static FileStream Open(string path)
    {
#if NET
        // In a private folder no other user can replace it after this. Opening a FIFO would block. One that is being removed has no name left.
        if (FileStatus.Of(path) is { } there && (there is not { IsFile: true, IsPrivate: true, Links: <= 1 } || there.Owner != FileStatus.User))
        {
            throw new IOException($"'{path}' is not a private file of this user");
        }

        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            Options = FileOptions.DeleteOnClose,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(path, options);
#else
        return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
#endif
    }

    // ERROR_SHARING_VIOLATION of Windows; EWOULDBLOCK of Linux and of macOS.
    private static bool IsHeld(IOException e) => (e.HResult & 0xFFFF) is 32 or 11 or 35;

    // Linux reports which process has locked the file.
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
        return "a process that this account cannot inspect";
    }
}
