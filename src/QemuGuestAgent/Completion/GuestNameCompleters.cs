using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Completion;

/// <summary>Completes the mount point of a file system.</summary>
public sealed class MountPointCompleter : GuestNameCompleter
{
    private protected override async Task<IEnumerable<string>> AskAsync(GuestAgentSession session, CallOptions call) =>
        (await session.GetFileSystemsAsync(call).ConfigureAwait(false)).Select(fileSystem => fileSystem.MountPoint);
}

/// <summary>Completes the name of a network interface.</summary>
public sealed class InterfaceNameCompleter : GuestNameCompleter
{
    private protected override async Task<IEnumerable<string>> AskAsync(GuestAgentSession session, CallOptions call) =>
        (await session.GetNetworkInterfacesAsync(call).ConfigureAwait(false)).Select(found => found.Name);
}

/// <summary>Completes the name of a disk or partition.</summary>
public sealed class DiskNameCompleter : GuestNameCompleter
{
    private protected override async Task<IEnumerable<string>> AskAsync(GuestAgentSession session, CallOptions call) =>
        (await session.GetDisksAsync(call).ConfigureAwait(false)).Select(disk => disk.Name);
}

/// <summary>Completes the name of a disk or partition that has counters.</summary>
public sealed class DiskStatisticNameCompleter : GuestNameCompleter
{
    private protected override async Task<IEnumerable<string>> AskAsync(GuestAgentSession session, CallOptions call) =>
        (await session.GetDiskStatisticsAsync(call).ConfigureAwait(false)).Select(disk => disk.Name);
}

/// <summary>Completes the name of a user who is logged in.</summary>
public sealed class UserNameCompleter : GuestNameCompleter
{
    private protected override async Task<IEnumerable<string>> AskAsync(GuestAgentSession session, CallOptions call) =>
        (await session.GetUsersAsync(call).ConfigureAwait(false)).Select(user => user.UserName);
}

/// <summary>Completes the name of a driver of a Windows guest.</summary>
public sealed class DriverNameCompleter : GuestNameCompleter
{
    private protected override async Task<IEnumerable<string>> AskAsync(GuestAgentSession session, CallOptions call) =>
        (await session.GetDevicesAsync(call).ConfigureAwait(false)).Select(device => device.DriverName);
}
