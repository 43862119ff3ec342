namespace QemuGuestAgent.Core.Endpoints.Libvirt;

/// <summary>The functions used of libvirt's library. Every call may throw <see cref="LibvirtException"/>.</summary>
internal interface ILibvirt
{
    /// <summary>Connects to a hypervisor; null for libvirt's default URI.</summary>
    ILibvirtConnection Connect(string? uri, bool readOnly);
}

/// <summary>A connection to a hypervisor.</summary>
internal interface ILibvirtConnection : IDisposable
{
    /// <summary>Looks a domain up by its name.</summary>
    ILibvirtDomain FindDomain(string name);

    /// <summary>The XML of all running domains.</summary>
    IReadOnlyList<string> DescribeActiveDomains();
}

/// <summary>A domain, which keeps its connection.</summary>
internal interface ILibvirtDomain : IDisposable
{
    /// <summary>Whether it is running.</summary>
    bool IsActive { get; }

    /// <summary>Sends a command to the agent and waits for the reply.</summary>
    /// <param name="command">The command as JSON, in UTF-8.</param>
    /// <param name="seconds">How long libvirt waits for the reply; -2 without limit.</param>
    byte[] SendAgentCommand(ReadOnlySpan<byte> command, int seconds);
}
