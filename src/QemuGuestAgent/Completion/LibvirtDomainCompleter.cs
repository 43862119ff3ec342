using System.Collections;

namespace QemuGuestAgent.Completion;

/// <summary>Completes the name of a domain of libvirt on this host.</summary>
public sealed class LibvirtDomainCompleter : NameCompleter
{
    private protected override IEnumerable<(string Name, string Tip)> Offers(IDictionary bound) =>
        HostChannels.Find().Where(channel => channel.Source == "libvirt").Select(channel => (channel.Name, $"{channel.State}, {channel.Endpoint}"));
}
