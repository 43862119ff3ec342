using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Principal;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;

namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>Files of this computer. What comes from a guest is for its owner only.</summary>
internal static class LocalFile
{
    // Where there are none to carry over, as on Windows.
    private const int UsualMode = 0x1A4; // 0644
    private const int UsualFolderMode = 0x1ED; // 0755
    private const int OwnerExecutes = 0x40; // 0100
    private const int PermissionBits = 0x1FF; // 0777

    /// <summary>Whether this is Windows.</summary>
#if NET
    [System.Runtime.Versioning.SupportedOSPlatformGuard("windows")]
#endif
    public static readonly bool IsWindows = RuntimeInformation.IsOSPlatform(OSPlatform.Windows);

    /// <summary>Opens a file to be sent.</summary>
    /// <exception cref="GuestAgentException">FileNotReadable, ItemNotFile.</exception>
    public static FileStream OpenRead(string path)
    {
        try
        {
            var file = LocalDescriptor.IsSupported ? LocalDescriptor.OpenRead(path) : Open(path);
            if (file is { CanSeek: true })
            {
                return file;
            }

            file?.Dispose();
        }
        catch (Exception e) when (IsFailure(e))
        {
            throw ErrorCatalogue.FileNotReadable.Because(e, path, e.Message);
        }

        throw ErrorCatalogue.ItemNotFile.With(path, "on this computer");
    }

    /// <summary>The permissions and the time of a file that is sent.</summary>
    public static (int Mode, DateTime Modified) Attributes(FileStream file, string path)
    {
#if NET
        var handle = file.SafeFileHandle;
        return (IsWindows ? UsualMode : (int)File.GetUnixFileMode(handle) & PermissionBits, File.GetLastWriteTimeUtc(handle));
#else
        return (UsualMode, File.GetLastWriteTimeUtc(path));
#endif
    }

    /// <summary>The permissions and the time of a folder that is sent.</summary>
    public static (int Mode, DateTime Modified) FolderAttributes(string path)
    {
#if NET
        var mode = IsWindows ? UsualFolderMode : (int)File.GetUnixFileMode(path) & PermissionBits;
#else
        var mode = UsualFolderMode;
#endif
        return (mode, Directory.GetLastWriteTimeUtc(path));
    }

    /// <summary>Refuses a target that must not be replaced.</summary>
    /// <exception cref="GuestAgentException">ItemExists, ItemIsFolder, ItemNotFile.</exception>
    public static void CheckTarget(string path, bool replaces)
    {
        if (Directory.Exists(path))
        {
            throw ErrorCatalogue.ItemIsFolder.With(path, "on this computer");
        }

        if (LocalDescriptor.IsSupported && File.Exists(path) && !LocalDescriptor.IsFile(path))
        {
            throw ErrorCatalogue.ItemNotFile.With(path, "on this computer");
        }

        if (!replaces && File.Exists(path))
        {
            throw ErrorCatalogue.ItemExists.With(
                path, "on this computer", ExistingFile.Describe(Owner(path), File.GetLastWriteTimeUtc(path)));
        }
    }

    /// <summary>Makes a new file that only its owner can read. (On Windows it has the rights of its folder.)</summary>
    public static FileStream Create(string path) => Write(path, () =>
    {
#if NET
        if (!IsWindows)
        {
            return new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                BufferSize = 0,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }
#endif
        return new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, bufferSize: 1);
    });

    /// <summary>
    /// Opens what an earlier copy left, to go on with it; null where it is not this user's alone, as far as the system tells, or is in use.
    /// </summary>
    public static FileStream? Reopen(string path)
    {
        try
        {
            return LocalDescriptor.IsSupported ? LocalDescriptor.OpenOwn(path)
                : IsWindows ? OpenOwnOnWindows(path)
                : null;
        }
        catch (Exception e) when (IsFailure(e))
        {
            return null;
        }
    }

    /// <summary>Makes a folder that only its owner can open, if it is not there.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="mayBeLink">Whether it may be a link to one: only where the user has named it.</param>
    public static void MakeFolder(string path, bool mayBeLink) => Write(path, () =>
    {
        if (!mayBeLink && Directory.Exists(path) && File.GetAttributes(path).HasFlag(FileAttributes.ReparsePoint))
        {
            throw new IOException("it is a link that leads out of the copied folder.");
        }

#if NET
        return IsWindows
            ? Directory.CreateDirectory(path)
            : Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
#else
        return Directory.CreateDirectory(path);
#endif
    });

    /// <summary>Gives a whole file its place.</summary>
    /// <param name="local">The file, which is closed then.</param>
    /// <param name="partial">Its path.</param>
    /// <param name="target">Its place.</param>
    /// <param name="replaces">Whether what is there is replaced.</param>
    /// <param name="mode">The permissions that it has in the guest; of these a new one keeps whether its owner may execute it.</param>
    /// <param name="modified">When it was changed, or null for now.</param>
    /// <returns>Whether it took its place all at once.</returns>
    public static bool Finish(
        FileStream local, string partial, string target, bool replaces, int mode, DateTime? modified) => Write(target, () =>
    {
#if NET
        // By what is open: in a folder of another user the name may lead elsewhere by now.
        if (!IsWindows && (mode & OwnerExecutes) != 0 && !File.Exists(target))
        {
            File.SetUnixFileMode(local.SafeFileHandle, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        if (modified is { } time)
        {
            File.SetLastWriteTimeUtc(local.SafeFileHandle, time);
        }

        CheckTarget(target, replaces);
        if (LocalPlace.Replace(local, partial, target) is { } isAtomic)
        {
            return isAtomic;
        }

        local.Dispose();
        File.Move(partial, target, overwrite: false);
#else
        local.Dispose();
        if (modified is { } time)
        {
            File.SetLastWriteTimeUtc(partial, time);
        }

        CheckTarget(target, replaces);
        if (replaces && File.Exists(target))
        {
            File.Replace(partial, target, null);
        }
        else
        {
            File.Move(partial, target);
        }
#endif
        return true;
    });

    /// <summary>Gives a folder its time, once all is in it.</summary>
    public static void FinishFolder(string path, DateTime modified) => Write(path, () =>
    {
        Directory.SetLastWriteTimeUtc(path, modified);
        return true;
    });

    /// <summary>Removes a file that is not whole, as far as that goes.</summary>
    public static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (IsFailure(e))
        {
            // The user gets the earlier error.
        }
    }

    /// <summary>The bytes that a folder's disk has room for; null where that cannot be told.</summary>
    public static long? Room(string folder)
    {
        try
        {
            return new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (Exception e) when (IsFailure(e) || e is ArgumentException)
        {
            return null;
        }
    }

    /// <summary>The SHA-256 of a number of bytes at the start of a file, and one that continues from there.</summary>
    public static (IncrementalHash Incremental, string Hash) HashStart(FileStream file, string path, long length, byte[] buffer)
    {
        var incremental = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        file.Position = 0;
        while (length > 0 && Read(file, path, buffer, (int)Math.Min(buffer.Length, length)) is var count and > 0)
        {
            incremental.AppendData(buffer, 0, count);
            whole.AppendData(buffer, 0, count);
            length -= count;
        }

        return (incremental, PartialName.Hex(whole.GetHashAndReset()));
    }

    /// <summary>Reads on.</summary>
    public static int Read(FileStream file, string path, byte[] buffer, int count) => Read(file, path, buffer, 0, count);

    /// <summary>Reads on, to a place in a buffer.</summary>
    public static int Read(FileStream file, string path, byte[] buffer, int at, int count)
    {
        try
        {
            return file.Read(buffer, at, count);
        }
        catch (Exception e) when (IsFailure(e))
        {
            throw ErrorCatalogue.FileNotReadable.Because(e, path, e.Message);
        }
    }

    /// <summary>Does something to a file that may fail.</summary>
    /// <exception cref="GuestAgentException">LocalFileNotWritten.</exception>
    public static T Write<T>(string path, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (IsFailure(e))
        {
            var shown = PartialName.Shown(path);
            throw ErrorCatalogue.LocalFileNotWritten.Because(e, shown, e.Message.Replace(path, shown));
        }
    }

    // As far as the system tells: it may be gone by now.
    private static string? Owner(string path)
    {
        try
        {
            return LocalDescriptor.IsSupported ? LocalDescriptor.Owner(path)
                : IsWindows ? OwnerOnWindows(path)
                : null;
        }
        catch (Exception e) when (IsFailure(e))
        {
            return null;
        }
    }

#if NET
    [System.Runtime.Versioning.SupportedOSPlatform("windows")]
#endif
    private static string? OwnerOnWindows(string path)
    {
        var owner = new FileInfo(path).GetAccessControl().GetOwner(typeof(SecurityIdentifier));
        try
        {
            return owner?.Translate(typeof(NTAccount)).Value;
        }
        catch (IdentityNotMappedException)
        {
            return owner?.Value;
        }
    }

    // To open a pipe to read waits for who writes to it; to open it for both does not.
    private static FileStream Open(string path)
    {
        var share = FileShare.ReadWrite | FileShare.Delete;
        if (!IsWindows && new FileInfo(path).Length == 0)
        {
            try
            {
                return new FileStream(path, FileMode.Open, FileAccess.ReadWrite, share, bufferSize: 1);
            }
            catch (Exception e) when (IsFailure(e))
            {
                // Not to be written to, also where its file system is read-only: then it is no pipe of ours.
            }
        }

        return new FileStream(path, FileMode.Open, FileAccess.Read, share, bufferSize: 1);
    }

    // An administrator's files belong to the group where its token says so.
    private static FileStream? OpenOwnOnWindows(string path)
    {
        if (File.GetAttributes(path).HasFlag(FileAttributes.ReparsePoint))
        {
            return null;
        }

        var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Delete, bufferSize: 1);
#if NET
        if (!IsWindows)
        {
            return file;
        }
#endif
        using var user = WindowsIdentity.GetCurrent();
        var owner = file.GetAccessControl().GetOwner(typeof(SecurityIdentifier));
        if (owner is not null && (owner.Equals(user.User) || owner.Equals(user.Owner)))
        {
            return file;
        }

        file.Dispose();
        return null;
    }

    private static bool IsFailure(Exception e) => e is IOException or UnauthorizedAccessException;
}
