namespace QemuGuestAgent.Core.Endpoints.Finding;

/// <summary>The files of the host that is looked at: a folder stands for its root, so that tests have hosts of their own.</summary>
/// <param name="root">The folder.</param>
/// <param name="tell">Is told what could not be looked at.</param>
internal sealed class Host(string root, Action<string> tell)
{
    /// <summary>Tells of what could not be looked at.</summary>
    public void Tell(string text) => tell(text);

    /// <summary>The names of what is in a folder; none where there is no such folder.</summary>
    public IReadOnlyList<string> List(string folder)
    {
        try
        {
            return [.. new DirectoryInfo(At(folder)).EnumerateFileSystemInfos().Select(entry => entry.Name)];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            tell($"'{folder}' is not looked at: {e.Message}");
            return [];
        }
    }

    /// <summary>Where a file of the host is for this process.</summary>
    public string At(string path) => Path.Combine(root, path.TrimStart('/'));

    /// <summary>The text of a file, or null where there is none, or none for this account.</summary>
    public string? Read(string path)
    {
        try
        {
            return File.ReadAllText(At(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Processes end, files go: what is not there any more is not found.
            return null;
        }
    }

    /// <summary>The number that a file holds, as a file of a process's id does.</summary>
    public int? ReadNumber(string path) => int.TryParse(Read(path)?.Trim(), out var number) ? number : null;

    /// <summary>Where a link leads, or null.</summary>
    public string? ReadLink(string path)
    {
        var link = new FileInfo(At(path));
#if NET
        try
        {
            return link.LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // As above.
        }
#endif
        return null;
    }

    /// <summary>What a socket of the host does, by the kernel's own list.</summary>
    public FoundChannelState StateOf(string socket)
    {
        if (Read("/proc/net/unix") is not { } list)
        {
            return FoundChannelState.Unknown;
        }

        // Num RefCount Protocol Flags Type St Inode Path; flag 0x10000 is listening, state 03 connected: the listener's end of a client.
        const int flags = 3;
        const int state = 5;
        var entries = list.Split('\n').Where(line => line.EndsWith(" " + socket, StringComparison.Ordinal))
            .Select(line => line.Split([' '], StringSplitOptions.RemoveEmptyEntries)).ToList();
        return entries.Any(fields => fields[state] == "03") ? FoundChannelState.InUse
            : entries.Any(fields => fields[flags] == "00010000") ? FoundChannelState.Free
            : FoundChannelState.Closed;
    }
}
