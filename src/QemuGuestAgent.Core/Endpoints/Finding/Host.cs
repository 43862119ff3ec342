using System.Text.RegularExpressions;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Endpoints.Finding;

/// <summary>What the inspected host shows of itself.</summary>
internal abstract class Host
{
    // Num RefCount Protocol Flags Type St Inode Path. A path may contain anything, even a line break: incomplete lines are ignored.
    private static readonly Regex SocketLine = new("^[0-9A-Fa-f]+: [0-9A-F]{8} [0-9A-F]{8} ([0-9A-F]{8}) [0-9A-F]{4} ([0-9A-F]{2}) +[0-9]+ (.+)$");

    private readonly Action<string> _tell;
    private readonly Lazy<ILookup<string, (string Flags, string State)>?> _sockets;

    /// <summary>Makes one.</summary>
    /// <param name="tell">Receives messages about what could not be read.</param>
    protected Host(Action<string> tell)
    {
        _tell = tell;
        _sockets = new(() => Read("/proc/net/unix")?.Split('\n').Select(line => SocketLine.Match(line)).Where(match => match.Success)
            .ToLookup(match => match.Groups[3].Value, match => (match.Groups[1].Value, match.Groups[2].Value)));
    }

    /// <summary>Reports what could not be read. It may contain text from any user of the host.</summary>
    public void Tell(string text) => _tell(SafeText.Escape(text));

    /// <summary>The names of the entries of a folder; none if it does not exist.</summary>
    public abstract IReadOnlyList<string> List(string folder);

    /// <summary>The text of a file, or null if it does not exist or this account cannot read it.</summary>
    public abstract string? Read(string path);

    /// <summary>The target of a link, or null.</summary>
    public abstract string? ReadLink(string path);

    /// <summary>The path without links.</summary>
    public abstract string RealPathOf(string path);

    /// <summary>The status of a path, without following links; null if it does not exist or this account cannot read it.</summary>
    public abstract FileStatus? StatusOf(string path);

    /// <summary>The ids of processes, among which all are that may be QEMU.</summary>
    public abstract IEnumerable<int> Processes();

    /// <summary>The XML of the running domains of a libvirt of the host; null where there is nothing to ask it with.</summary>
    /// <exception cref="Libvirt.LibvirtException">It does not tell.</exception>
    public abstract IReadOnlyList<string>? DescribeDomains(string uri, bool readOnly);

    /// <summary>The number in a file, such as a pid file.</summary>
    public int? ReadNumber(string path) => int.TryParse(Read(path)?.Trim(), out var number) ? number : null;

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
