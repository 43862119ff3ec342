using System.Text.RegularExpressions;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Endpoints.Finding;

/// <summary>The files of the inspected host: its root can be any folder, so that tests have their own hosts.</summary>
internal sealed class Host
{
    // Num RefCount Protocol Flags Type St Inode Path. A path may contain anything, even a line break: incomplete lines are ignored.
    private static readonly Regex SocketLine = new("^[0-9A-Fa-f]+: [0-9A-F]{8} [0-9A-F]{8} ([0-9A-F]{8}) [0-9A-F]{4} ([0-9A-F]{2}) +[0-9]+ (.+)$");

    private readonly string _root;
    private readonly Action<string> _tell;
    private readonly Lazy<ILookup<string, (string Flags, string State)>?> _sockets;

    /// <summary>Makes one.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="tell">Receives messages about what could not be read.</param>
    public Host(string root, Action<string> tell)
    {
        _root = root;
        _tell = tell;
        _sockets = new(() => Read("/proc/net/unix")?.Split('\n').Select(line => SocketLine.Match(line)).Where(match => match.Success)
            .ToLookup(match => match.Groups[3].Value, match => (match.Groups[1].Value, match.Groups[2].Value)));
    }

    /// <summary>Reports what could not be read. It may contain text from any user of the host.</summary>
    public void Tell(string text) => _tell(SafeText.Escape(text));

    /// <summary>The names of the entries of a folder; none if it does not exist.</summary>
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
            Tell($"'{folder}' could not be read: {e.Message}");
            return [];
        }
    }

    /// <summary>The path of a file of the host for this process.</summary>
    public string At(string path) => Path.Combine(_root, path.TrimStart('/'));

    /// <summary>The text of a file, or null if it does not exist or this account cannot read it.</summary>
    public string? Read(string path)
    {
        try
        {
            return File.ReadAllText(At(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Processes end and files are removed: what no longer exists is not found.
            return null;
        }
    }

    /// <summary>The number in a file, such as a pid file.</summary>
    public int? ReadNumber(string path) => int.TryParse(Read(path)?.Trim(), out var number) ? number : null;

    /// <summary>The target of a link, or null.</summary>
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

    /// <summary>The status of a path, without following links; null if it does not exist or this account cannot read it.</summary>
    public FileStatus? StatusOf(string path) => FileStatus.Of(At(path));

    /// <summary>The state of a socket of the host, from the kernel's list.</summary>
    public FoundChannelState StateOf(string socket)
    {
        // Flag 0x10000 is listening, state 03 connected: the listener's end of a client.
        if (_sockets.Value is not { } all)
        {
            return FoundChannelState.Unknown;
        }

        return all[socket].Any(entry => entry.State == "03") ? FoundChannelState.InUse
            : all[socket].Any(entry => entry.Flags == "00010000") ? FoundChannelState.Free
            : FoundChannelState.Closed;
    }
}
