namespace QemuGuestAgent.Core.Endpoints.Finding;

/// <summary>A channel into a guest, as its host knows it. Whether an agent answers on it is not known.</summary>
/// <param name="Name">The name of the virtual machine.</param>
/// <param name="Endpoint">The endpoint of the channel, in the grammar of <see cref="EndpointGrammar"/>.</param>
/// <param name="Source">The source: Proxmox, libvirt, or a running QEMU process.</param>
/// <param name="State">What can be seen from outside.</param>
/// <param name="Owner">
/// The user who controls it: the one who runs it, or another one who could replace it with a channel; a number if the user has no name.
/// </param>
/// <param name="IsTrusted">Whether that is root, the user of this process or the hypervisor's own user.</param>
/// <param name="ProcessId">The process id of its QEMU, or null if unknown.</param>
public sealed record FoundChannel(
    string Name, string Endpoint, string Source, FoundChannelState State, string Owner, bool IsTrusted, int? ProcessId);

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
