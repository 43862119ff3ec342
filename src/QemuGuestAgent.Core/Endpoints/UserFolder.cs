namespace QemuGuestAgent.Core.Endpoints;

/// <summary>Folders for the files of this user's sessions, which no other user can write to, lock or read.</summary>
internal static class UserFolder
{
    private const string Name = "QemuGuestAgent";

#if NET
    // Private folders of users that are not cleaned up automatically; as a last resort a shared one.
    private static IEnumerable<string> Parents
    {
        get
        {
            if (FileStatus.User == 0)
            {
                yield return OperatingSystem.IsMacOS() ? "/var/run" : "/run";
            }
            else
            {
                yield return Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") ?? "";
                yield return $"/run/user/{FileStatus.User}";
            }

            yield return Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        }
    }
#endif

    // On Windows no other user may write there.
    private static string ApplicationData =>
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create);

    /// <summary>Finds or creates the folder for locks.</summary>
    /// <param name="tell">Receives messages about folders that cannot be used, and why.</param>
    /// <exception cref="IOException">There is no such folder.</exception>
    /// <exception cref="UnauthorizedAccessException">There is no such folder.</exception>
    public static string ForLocks(Action<string> tell)
    {
#if NET
        if (!OperatingSystem.IsWindows())
        {
            return Find(Parents, tell);
        }
#endif
        return OfWindows();
    }

    /// <summary>Finds or creates the folder for what is kept after the user has logged out.</summary>
    /// <inheritdoc cref="ForLocks"/>
    public static string ForRecords(Action<string> tell)
    {
#if NET
        if (!OperatingSystem.IsWindows())
        {
            return Find(Parents.Prepend(ApplicationData), tell);
        }
#endif
        return OfWindows();
    }

    private static string OfWindows() => ApplicationData is { Length: > 0 } own
        ? Directory.CreateDirectory(Path.Combine(own, Name)).FullName
        : throw new IOException("this account has no folder for application data");

#if NET
    internal static string Find(IEnumerable<string> parents, Action<string> tell)
    {
        foreach (var parent in parents.Where(Path.IsPathRooted))
        {
            var folder = Path.Combine(parent, $"{Name}-{FileStatus.User}");
            if (WhyNot(parent, folder) is not { } reason)
            {
                return folder;
            }

            tell($"The folder '{folder}' is not used: {reason}");
        }

        throw new IOException("there is no folder that only this user can write to");
    }

    private static string? WhyNot(string parent, string folder)
    {
        if (FileStatus.Of(RealPath.Of(parent)) is not { IsFolder: true } outer)
        {
            return $"there is no folder '{parent}'.";
        }

        if (outer.Owner != 0 && outer.Owner != FileStatus.User)
        {
            return $"'{parent}' belongs to another user.";
        }

        if (outer.IsOpenToAll)
        {
            return $"any user can replace the contents of '{parent}'.";
        }

        var own = FileStatus.Of(folder);
        try
        {
            if (own is null && !OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                own = FileStatus.Of(folder);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }

        return own is { IsFolder: true, IsPrivate: true, Owner: var owner } && owner == FileStatus.User ? null
            : "it belongs to another user, is open to others, or is not a folder.";
    }
#endif
}
