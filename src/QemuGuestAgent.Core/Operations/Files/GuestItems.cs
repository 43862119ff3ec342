using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>Copies files and folders to and from guests.</summary>
public static class GuestItems
{
    /// <summary>Copies items of this computer to a guest.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="sources">Their full paths.</param>
    /// <param name="destination">A folder of the guest to copy into, or what the one item is to be called there.</param>
    /// <param name="options">Options and callbacks.</param>
    /// <param name="call">Time limit (zero for none) and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation; incomplete files are removed.</param>
    /// <exception cref="GuestAgentException">GuestPathNotRooted, GuestItemNotFound, FileTimedOut, and those of a command.</exception>
    public static async Task SendAsync(
        GuestAgentSession session, IReadOnlyList<string> sources, string destination, ItemCopyOptions options,
        CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var job = await CopyJob.StartAsync(session, options, call, cancellationToken).ConfigureAwait(false);
        await new TreeSender(job).SendAsync(sources, destination).ConfigureAwait(false);
    }

    /// <summary>Copies items of a guest to this computer.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="sources">Their paths in the guest.</param>
    /// <param name="areLiteral">Whether the paths are literal; otherwise they have PowerShell's wildcards.</param>
    /// <param name="destination">The full path of a folder here to copy into, or of what the one item is to be called.</param>
    /// <param name="options">Options and callbacks.</param>
    /// <param name="call">Time limit (zero for none) and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation; incomplete files are removed.</param>
    /// <exception cref="GuestAgentException">As <see cref="SendAsync"/>, and LocalFileNotWritten.</exception>
    public static async Task ReceiveAsync(
        GuestAgentSession session, IReadOnlyList<string> sources, bool areLiteral, string destination, ItemCopyOptions options,
        CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var job = await CopyJob.StartAsync(session, options, call, cancellationToken).ConfigureAwait(false);
        await new TreeReceiver(job).ReceiveAsync(sources, areLiteral, destination).ConfigureAwait(false);
    }
}
