using System.Xml;
using System.Xml.Linq;
using QemuGuestAgent.Core.Endpoints.Libvirt;

namespace QemuGuestAgent.Core.Endpoints.Finding;

/// <summary>
/// The domains of libvirt that have a channel for an agent. Only running daemons are queried, because libvirt would start one, and none of
/// another user.
/// </summary>
internal sealed class LibvirtChannels(Host host, Owners owners, string? sessionFolder)
{
    /// <summary>The common name of a channel for QEMU's agent.</summary>
    public const string ChannelName = "org.qemu.guest_agent.0";

    private const string SystemUri = "qemu:///system";

    private static readonly string[] Daemons = ["libvirt-sock", "virtqemud-sock"];

    private readonly List<string> _sockets = [];

    /// <summary>The sockets, as endpoints, that libvirt itself uses.</summary>
    public IReadOnlyList<string> Sockets => _sockets;

    public IReadOnlyList<FoundChannel> Find()
    {
        var folders = new List<(string Uri, string Folder)> { (SystemUri, "/run/libvirt") };
        if (sessionFolder is not null)
        {
            folders.Add(("qemu:///session", $"{sessionFolder}/libvirt"));
        }

        return [.. folders.SelectMany(place => host.List(place.Folder).Intersect(Daemons).Take(1)
            .SelectMany(daemon => Ask(place.Uri, place.Folder, owners.OfPath($"{place.Folder}/{daemon}"))))];
    }

    private List<FoundChannel> Ask(string uri, string folder, ChannelOwner owner)
    {
        if (!owner.IsTrusted)
        {
            host.Tell($"The domains of libvirt ({uri}) are not listed: its socket in '{folder}' is controlled by {owner.Name}.");
            return [];
        }

        try
        {
            // A user's own daemon has no read-only socket, and needs no authentication.
            var descriptions = host.DescribeDomains(uri, readOnly: uri == SystemUri) ?? [];
            return [.. descriptions.Select(description => Read(description, uri, folder, owner)).OfType<FoundChannel>()];
        }
        catch (Exception e) when (e is LibvirtException or DllNotFoundException or EntryPointNotFoundException)
        {
            host.Tell($"The domains of libvirt ({uri}) are not listed: {e.Message}");
            return [];
        }
    }

    // Null if the domain has no such channel.
    private FoundChannel? Read(string description, string uri, string folder, ChannelOwner owner)
    {
        try
        {
            var domain = XElement.Parse(description);
            var name = (string?)domain.Element("name") ?? "";
            var channel = domain.Element("devices")?.Elements("channel")
                .FirstOrDefault(found => (string?)found.Element("target")?.Attribute("name") == ChannelName);
            if (channel is null)
            {
                return null;
            }

            if ((string?)channel.Element("source")?.Attribute("path") is { Length: > 0 } path)
            {
                _sockets.Add($"{UnixEndpoint.Kind.Scheme}:{path}");
            }

            var state = (string?)channel.Element("target")?.Attribute("state") switch
            {
                "connected" => FoundChannelState.AgentPresent,
                "disconnected" => FoundChannelState.AgentAbsent,
                _ => FoundChannelState.Unknown,
            };
            return new FoundChannel(
                name, $"{new LibvirtEndpoint(name, uri)}", "libvirt", state, owner.Name, owner.IsTrusted, host.ReadNumber($"{folder}/qemu/{name}.pid"));
        }
        catch (Exception e) when (e is XmlException or FormatException)
        {
            host.Tell($"A domain of libvirt ({uri}) is not listed: {e.Message}");
            return null;
        }
    }
}
