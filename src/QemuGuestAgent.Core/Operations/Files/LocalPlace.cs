#if NET
using System.Runtime.InteropServices;
using System.Text;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
#endif

namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>How a file that is whole takes the place of one of this computer's, which keeps what it has.</summary>
internal static class LocalPlace
{
#if NET
    private const int MaxLinks = 40;

    // copyfile's: ACL, owner and mode, extended attributes.
    private const uint MacAttributes = 1 | 2 | 4;
#endif

    /// <summary>Follows a link to the file that it leads to, if the user has named it and no other user can have put it there.</summary>
    /// <param name="path">What may be a link.</param>
    /// <param name="isNamed">Whether the user has named it.</param>
    /// <exception cref="IOException">It is a link that is not followed.</exception>
    public static string Follow(string path, bool isNamed)
    {
#if NET
        if (OperatingSystem.IsWindows())
        {
            return path;
        }

        for (var links = 0; new FileInfo(path).LinkTarget is { } link; links++)
        {
            if (!isNamed || !LocalDescriptor.IsSupported)
            {
                throw new IOException("it is a link. Give the path of the file that it leads to.");
            }

            var folder = LocalDescriptor.RealPath(Path.GetDirectoryName(path)!);
            if (links == MaxLinks || !LocalDescriptor.IsOwn(path) || !LocalDescriptor.IsSafe(folder))
            {
                throw new IOException("it is a link, and another user could have created it. Give the path of the file that it leads to.");
            }

            var next = Path.Combine(folder, link);
            path = Path.Combine(LocalDescriptor.RealPath(Path.GetDirectoryName(next)!), Path.GetFileName(next));
        }
#endif
        return path;
    }

#if NET
    /// <summary>Whether links can be made here, without further rights.</summary>
    public static bool MakesLinks => !OperatingSystem.IsWindows();

    /// <summary>Makes a link; another one that is there is replaced or not, and nothing else.</summary>
    /// <param name="path">The link.</param>
    /// <param name="target">Where it leads.</param>
    /// <param name="replaces">Whether another link is replaced.</param>
    /// <exception cref="GuestAgentException">ItemExists, LocalFileNotWritten.</exception>
    public static void MakeLink(string path, string target, bool replaces) => LocalFile.Write(path, () =>
    {
        switch (OfLink(path, target))
        {
            case LinkPlace.Same:
                return true;
            case LinkPlace.Free:
                File.CreateSymbolicLink(path, target);
                return true;
            case var _ when !replaces:
                throw ErrorCatalogue.ItemExists.With(path, "on this computer", "");
            case LinkPlace.Taken:
                throw new IOException("it is no link here. Remove it first.");
        }

        var partial = Path.Combine(Path.GetDirectoryName(path)!, PartialName.Create(Path.GetFileName(path), 0));
        File.CreateSymbolicLink(partial, target);

        // .NET moves no link that leads to a folder, or nowhere.
        if (rename(Encoding.UTF8.GetBytes(partial + '\0'), Encoding.UTF8.GetBytes(path + '\0')) != 0)
        {
            LocalFile.Remove(partial);
            throw new IOException("another link stands there, and cannot be replaced.");
        }

        return true;
    });

    /// <summary>What is there where a link is to be made.</summary>
    public static LinkPlace OfLink(string path, string target)
    {
        var there = new FileInfo(path);
        return there.LinkTarget == target ? LinkPlace.Same
            : there.LinkTarget is not null ? LinkPlace.Link
            : there.Exists || Directory.Exists(path) ? LinkPlace.Taken
            : LinkPlace.Free;
    }

    /// <summary>Replaces a file, if there is one.</summary>
    /// <param name="local">The whole file.</param>
    /// <param name="partial">Its path.</param>
    /// <param name="target">The file that it replaces.</param>
    /// <returns>Whether it took its place all at once; null where none is there to be replaced.</returns>
    /// <exception cref="IOException">It cannot be replaced. What is there is as it was.</exception>
    public static bool? Replace(FileStream local, string partial, string target)
    {
        if (!File.Exists(target))
        {
            return null;
        }

        if (LocalDescriptor.IsSupported)
        {
            return ReplaceOnLinux(local, partial, target);
        }

        if (!OperatingSystem.IsWindows())
        {
            var modified = File.GetLastWriteTimeUtc(local.SafeFileHandle);
            if (copyfile(Encoding.UTF8.GetBytes(target + '\0'), Encoding.UTF8.GetBytes(partial + '\0'), IntPtr.Zero, MacAttributes) != 0)
            {
                throw new IOException("its owner, mode and attributes cannot be kept. Remove it first.");
            }

            File.SetLastWriteTimeUtc(local.SafeFileHandle, modified);
            File.Move(partial, target, overwrite: true);
            return true;
        }

        local.Dispose();
        File.Replace(partial, target, null);
        return true;
    }

    private static bool ReplaceOnLinux(FileStream local, string partial, string target)
    {
        using var held = LocalDescriptor.Hold(target) ?? throw new IOException("it is no longer a file.");
        var folder = LocalDescriptor.RealPath(Path.GetDirectoryName(target)!);
        if (LocalDescriptor.IsForAll(folder) && !LocalDescriptor.IsOwn(held))
        {
            throw new IOException("it belongs to another user, in a folder where everybody can create files. Remove it first.");
        }

        if (LocalDescriptor.Names(held) > 1)
        {
            if (!LocalDescriptor.IsSafe(folder))
            {
                throw new IOException("it has other names (hard links), and other users can exchange it. Remove it first.");
            }
        }
        else if (LocalDescriptor.CopyAttributes(held, local.SafeFileHandle) && TryMove(partial, target))
        {
            return true;
        }

        using var file = LocalDescriptor.OpenHeld(held);
        WriteInPlace(local, file, Path.Combine(Path.GetDirectoryName(target)!, PartialName.Create(Path.GetFileName(target), 0)));
        local.Dispose();
        LocalFile.Remove(partial);
        return false;
    }

    // A file that is mounted there cannot be replaced.
    private static bool TryMove(string partial, string target)
    {
        try
        {
            File.Move(partial, target, overwrite: true);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    // What is there is saved, and put back if that fails.
    private static void WriteInPlace(FileStream whole, FileStream file, string savedPath)
    {
        var modified = File.GetLastWriteTimeUtc(file.SafeFileHandle);
        using var saved = LocalFile.Create(savedPath);
        try
        {
            file.CopyTo(saved);
        }
        catch (IOException)
        {
            LocalFile.Remove(savedPath);
            throw;
        }

        try
        {
            Overwrite(file, whole, File.GetLastWriteTimeUtc(whole.SafeFileHandle));
        }
        catch (IOException)
        {
            try
            {
                Overwrite(file, saved, modified);
            }
            catch (IOException e)
            {
                throw new IOException($"what was in it is in '{savedPath}' now: {e.Message}", e);
            }

            LocalFile.Remove(savedPath);
            throw;
        }

        LocalFile.Remove(savedPath);
    }

    private static void Overwrite(FileStream file, FileStream content, DateTime modified)
    {
        content.Position = file.Position = 0;
        file.SetLength(0);
        content.CopyTo(file);
        file.Flush();
        File.SetLastWriteTimeUtc(file.SafeFileHandle, modified);
    }

    [DllImport("libc")]
    private static extern int rename(byte[] from, byte[] to);

    [DllImport("libc")]
    private static extern int copyfile(byte[] from, byte[] to, IntPtr state, uint flags);
#else
    /// <summary>Whether links can be made here: this .NET makes none.</summary>
    public static bool MakesLinks => false;

    /// <summary>Makes a link.</summary>
    public static void MakeLink(string path, string target, bool replaces) => throw new NotSupportedException();

    /// <summary>What is there where a link is to be made.</summary>
    public static LinkPlace OfLink(string path, string target) => throw new NotSupportedException();
#endif
}
