using QemuGuestAgent.Core.Endpoints.Libvirt;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Endpoints.Finding;

/// <summary>Finds the channels into the guests of this host. It reads information of the host, and opens none of them.</summary>
public sealed class ChannelFinder
{
    private readonly string _root;
    private readonly ILibvirt? _libvirt;
    private readonly string? _sessionFolder;
    private readonly uint _user;

    /// <summary>Makes one for this host.</summary>
    public ChannelFinder()
        : this("/", LibvirtEndpoint.Library, Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR"), FileStatus.User)
    {
    }

    internal ChannelFinder(string root, ILibvirt? libvirt, string? sessionFolder, uint user) =>
        (_root, _libvirt, _sessionFolder, _user) = (root, libvirt, sessionFolder, user);

    /// <summary>
    /// Finds the channels, each once: if several sources report one, the trusted source that knows its name best is used. Channels that
    /// untrusted users control are included, and marked as such.
    /// </summary>
    /// <param name="tell">Receives messages about what could not be read.</param>
    public IReadOnlyList<FoundChannel> Find(Action<string>? tell = null) =>
        Find(new LocalHost(_root, _libvirt, tell ?? (_ => { })), _user, _sessionFolder);

    /// <summary>Finds the channels of a host.</summary>
    /// <param name="host">The host.</param>
    /// <param name="user">The user who is to use them there.</param>
    /// <param name="sessionFolder">The folder of that user's own daemons; null where there is none.</param>
    internal static IReadOnlyList<FoundChannel> Find(Host host, uint user, string? sessionFolder)
    {
        var owners = new Owners(host, user);
        var libvirt = new LibvirtChannels(host, owners, sessionFolder);
        var libvirts = libvirt.Find();
        var known = new HashSet<string>(libvirt.Sockets.Select(Identity));
        IEnumerable<FoundChannel> all =
        [
            .. ProxmoxChannels.Find(host, owners).Where(IsNew),
            .. libvirts,
            .. QemuChannels.Find(host, owners).OrderByDescending(channel => channel.IsTrusted).Where(IsNew),
        ];
        return [.. all.Where(IsShown)];

        // An endpoint must be used exactly as it is.
        bool IsShown(FoundChannel channel)
        {
            var isPlain = SafeText.Escape(channel.Endpoint) == channel.Endpoint;
            if (!isPlain)
            {
                host.Tell($"A channel of '{channel.Name}' is not listed: its endpoint '{channel.Endpoint}' contains control characters.");
            }

            return isPlain;
        }

        bool IsNew(FoundChannel channel) => known.Add(Identity(channel.Endpoint));

        string Identity(string endpoint) =>
            endpoint.Split([':'], 2) is ["unix", var path] && path[0] != UnixEndpoint.AbstractMark ? host.RealPathOf(path) : endpoint;
    }
}
