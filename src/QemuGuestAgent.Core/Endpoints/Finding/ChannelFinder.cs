using QemuGuestAgent.Core.Endpoints.Libvirt;

namespace QemuGuestAgent.Core.Endpoints.Finding;

/// <summary>Finds the channels into the guests of this host. It reads what the host tells, and opens none of them.</summary>
public sealed class ChannelFinder
{
    private readonly string _root;
    private readonly ILibvirt? _libvirt;
    private readonly string? _sessionFolder;

    /// <summary>Makes one for this host.</summary>
    public ChannelFinder()
        : this("/", LibvirtEndpoint.Library, Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR"))
    {
    }

    internal ChannelFinder(string root, ILibvirt? libvirt, string? sessionFolder) =>
        (_root, _libvirt, _sessionFolder) = (root, libvirt, sessionFolder);

    /// <summary>Finds them, each once: of those that several tell of, who knows its name best is heard.</summary>
    /// <param name="tell">Is told what could not be looked at.</param>
    public IReadOnlyList<FoundChannel> Find(Action<string>? tell = null)
    {
        var host = new Host(_root, tell ?? (_ => { }));
        var libvirt = new LibvirtChannels(host, _libvirt, _sessionFolder);
        var libvirts = libvirt.Find();
        var known = new HashSet<string>(libvirt.Sockets.Select(Identity));
        return
        [
            .. ProxmoxChannels.Find(host).Where(IsNew),
            .. libvirts,
            .. QemuChannels.Find(host).Where(IsNew),
        ];

        bool IsNew(FoundChannel channel) => known.Add(Identity(channel.Endpoint));

        string Identity(string endpoint) =>
            endpoint.Split([':'], 2) is ["unix", var path] && path[0] != UnixEndpoint.AbstractMark ? RealPath.Of(host.At(path)) : endpoint;
    }
}
