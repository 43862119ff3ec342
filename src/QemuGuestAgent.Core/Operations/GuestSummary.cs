using System.Globalization;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations;

/// <summary>How full a file system of a guest is.</summary>
/// <param name="MountPoint">The mount point.</param>
/// <param name="Size">The size available to users other than root, in bytes, or null.</param>
/// <param name="Free">The free space for users other than root, in bytes, or null.</param>
/// <param name="PercentUsed">How full it is for users other than root, in percent, or null.</param>
public sealed record GuestFileSystemUsage(string MountPoint, long? Size, long? Free, double? PercentUsed)
{
    internal bool IsImage { get; init; }

    /// <summary>The mount point and how full it is, as / 12.5%.</summary>
    public override string ToString() =>
        PercentUsed is null ? MountPoint : string.Format(CultureInfo.InvariantCulture, "{0} {1:0.#}%", MountPoint, PercentUsed);
}

/// <summary>A summary of a guest. What its agent refuses is null.</summary>
/// <param name="Name">The name that the caller has for the guest.</param>
/// <param name="HostName">The name that the guest has for itself.</param>
/// <param name="OperatingSystem">The operating system, with its version.</param>
/// <param name="Kernel">The kernel's release.</param>
/// <param name="Architecture">The architecture, such as x86_64.</param>
/// <param name="AgentVersion">The agent's version, as it says.</param>
/// <param name="IPAddresses">The IP addresses, without those that only the guest, its containers or its link can reach.</param>
/// <param name="Load">The load.</param>
/// <param name="Users">The logged-in users.</param>
/// <param name="TimeOffset">How far the guest's clock is ahead of this machine's.</param>
/// <param name="TimeZone">The time zone.</param>
/// <param name="FileSystems">The file systems that are mounted, and how full they are.</param>
public sealed record GuestSummary(
    string Name, string? HostName, string? OperatingSystem, string? Kernel, string? Architecture, string? AgentVersion,
    IReadOnlyList<string>? IPAddresses, GuestLoad? Load, IReadOnlyList<GuestUser>? Users, TimeSpan? TimeOffset,
    GuestTimeZone? TimeZone, IReadOnlyList<GuestFileSystemUsage>? FileSystems)
{
    /// <summary>How full the fullest of the file systems is, in percent, or null. Read-only images (squashfs, ISO 9660, …) do not count.</summary>
    public double? PercentUsed => FileSystems?.Where(fileSystem => !fileSystem.IsImage).Max(fileSystem => fileSystem.PercentUsed);
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
            interfaces is null ? null : [.. interfaces.ReachableAddresses().Select(address => address.Address)],
            load,
            users,
            time?.Offset,
            zone,
            fileSystems is null ? null : [.. fileSystems.Select(UsageOf)]);
    }

    private static GuestFileSystemUsage UsageOf(GuestFileSystem all) => new(all.MountPoint, all.Size, all.Free, all.PercentUsed)
    {
        IsImage = all.IsImage,
    };
}
