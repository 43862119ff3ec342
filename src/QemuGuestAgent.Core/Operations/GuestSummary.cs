using System.Globalization;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations;

/// <summary>How full a file system of a guest is.</summary>
public sealed class GuestFileSystemUsage(string mountPoint, long? size, long? free, double? percentUsed)
{
    /// <summary>The mount point.</summary>
    public string MountPoint { get; } = mountPoint;

    /// <summary>The size available to users other than root, in bytes, or null.</summary>
    public long? Size { get; } = size;

    /// <summary>The free space for users other than root, in bytes, or null.</summary>
    public long? Free { get; } = free;

    /// <summary>How full it is for users other than root, in percent, or null.</summary>
    public double? PercentUsed { get; } = percentUsed;

    internal bool IsImage { get; init; }

    /// <summary>The mount point and how full it is, as / 12.5%.</summary>
    public override string ToString() =>
        PercentUsed is null ? MountPoint : string.Format(CultureInfo.InvariantCulture, "{0} {1:0.#}%", MountPoint, PercentUsed);
}

/// <summary>A summary of a guest. What its agent refuses is null.</summary>
public sealed class GuestSummary(
    string name, string? hostName, string? operatingSystem, string? kernel, string? architecture, string? agentVersion,
    string[]? ipAddresses, GuestLoad? load, GuestUser[]? users, TimeSpan? timeOffset, GuestTimeZone? timeZone,
    GuestFileSystemUsage[]? fileSystems)
{
    /// <summary>The name that the caller has for the guest.</summary>
    public string Name { get; } = name;

    /// <summary>The name that the guest has for itself.</summary>
    public string? HostName { get; } = hostName;

    /// <summary>The operating system, with its version.</summary>
    public string? OperatingSystem { get; } = operatingSystem;

    /// <summary>The kernel's release.</summary>
    public string? Kernel { get; } = kernel;

    /// <summary>The architecture, such as x86_64.</summary>
    public string? Architecture { get; } = architecture;

    /// <summary>The agent's version, as it says.</summary>
    public string? AgentVersion { get; } = agentVersion;

    /// <summary>The IP addresses, without those that only the guest, its containers or its link can reach.</summary>
    public string[]? IPAddresses { get; } = ipAddresses;

    /// <summary>The load.</summary>
    public GuestLoad? Load { get; } = load;

    /// <summary>The logged-in users.</summary>
    public GuestUser[]? Users { get; } = users;

    /// <summary>How far the guest's clock is ahead of this machine's.</summary>
    public TimeSpan? TimeOffset { get; } = timeOffset;

    /// <summary>The time zone.</summary>
    public GuestTimeZone? TimeZone { get; } = timeZone;

    /// <summary>The file systems that are mounted, and how full they are.</summary>
    public GuestFileSystemUsage[]? FileSystems { get; } = fileSystems;

    /// <summary>How full the fullest of the file systems is, in percent, or null. Read-only images (squashfs, ISO 9660, …) do not count.</summary>
    public double? PercentUsed => FileSystems?.Where(fileSystem => !fileSystem.IsImage).Max(fileSystem => fileSystem.PercentUsed);

    /// <summary>The guest's name.</summary>
    public override string ToString() => Name;
}

/// <summary>Asks all that makes a <see cref="GuestSummary"/>.</summary>
public static class GuestSummaries
{
    /// <summary>Asks for a summary of the guest. What the agent refuses is left empty; silence is an error.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="name">The caller's name for the guest.</param>
    /// <param name="call">Time limit for the whole operation, and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation; the session stays usable.</param>
    /// <inheritdoc cref="GuestAgentSession.InvokeAsync{T}" path="/exception"/>
    public static async Task<GuestSummary> GetSummaryAsync(
        this GuestAgentSession session, string name, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var timing = new OperationTime(session.Clock, call);
        Task<T?> Ask<T>(Func<CallOptions, CancellationToken, Task<T>> part) =>
            part(timing.Rest(), cancellationToken).OrDefaultIfRefused();

        var system = await Ask(session.GetOperatingSystemAsync).ConfigureAwait(false);
        var hostName = await Ask(session.GetHostNameAsync).ConfigureAwait(false);
        var interfaces = await Ask(session.GetNetworkInterfacesAsync).ConfigureAwait(false);
        var load = await Ask(session.GetLoadAsync).ConfigureAwait(false);
        var users = await Ask(session.GetUsersAsync).ConfigureAwait(false);
        var time = await Ask(session.GetTimeAsync).ConfigureAwait(false);
        var zone = await Ask(session.GetTimeZoneAsync).ConfigureAwait(false);
        var fileSystems = await Ask(session.GetFileSystemsAsync).ConfigureAwait(false);
        return new GuestSummary(
            name,
            hostName,
            system?.PrettyName ?? system?.Name ?? system?.Id,
            system?.Kernel,
            system?.Machine,
            session.Agent?.Version,
            interfaces is null ? null : [.. interfaces.ReachableAddresses().Select(address => address.IPAddress)],
            load,
            users is null ? null : [.. users],
            time?.Offset,
            zone,
            fileSystems is null ? null : [.. fileSystems.Select(UsageOf)]);
    }

    private static GuestFileSystemUsage UsageOf(GuestFileSystem all) => new(all.MountPoint, all.Size, all.Free, all.PercentUsed)
    {
        IsImage = all.IsImage,
    };
}
