using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Endpoints.Finding;

/// <summary>A channel into a guest, as its host knows it. Whether an agent answers on it is not known.</summary>
public sealed class FoundChannel(
    string name, string endpoint, string source, FoundChannelState state, string owner, bool isTrusted, int? processId, string? hostName = null)
{
    /// <summary>The name of the virtual machine; control characters are escaped.</summary>
    public string Name { get; } = SafeText.Escape(name);

    /// <summary>The endpoint of the channel, in the grammar of <see cref="EndpointGrammar"/>.</summary>
    public string Endpoint { get; } = endpoint;

    /// <summary>The source: Proxmox, libvirt, or a running QEMU process.</summary>
    public string Source { get; } = source;

    /// <summary>What can be seen of it without opening it.</summary>
    public FoundChannelState State { get; } = state;

    /// <summary>The user who controls it: the one who runs it, or another one who could replace it with a channel; a number if the user has no name.</summary>
    public string Owner { get; } = SafeText.Escape(owner);

    /// <summary>Whether that is root, the user of this process or the hypervisor's own user.</summary>
    public bool IsTrusted { get; } = isTrusted;

    /// <summary>The host where it was found, as it was given; null for this one.</summary>
    public string? HostName { get; } = hostName;

    /// <summary>The process id of its QEMU, or null if unknown.</summary>
    public int? ProcessId { get; } = processId;

    /// <summary>The name of the virtual machine.</summary>
    public override string ToString() => Name;
}

/// <summary>What can be seen of a channel without using it.</summary>
public enum FoundChannelState
{
    /// <summary>Nothing can be seen.</summary>
    Unknown,

    /// <summary>Nothing is listening: it was left behind, or the virtual machine is not running.</summary>
    Closed,

    /// <summary>It accepts a client.</summary>
    Free,

    /// <summary>It has a client.</summary>
    InUse,

    /// <summary>libvirt uses it, and no agent has opened the guest's end.</summary>
    AgentAbsent,

    /// <summary>libvirt uses it, and an agent has opened the guest's end.</summary>
    AgentPresent,
}
