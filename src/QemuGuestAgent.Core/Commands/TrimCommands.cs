using System.Collections;
using System.Text.Json;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Commands;

/// <summary>What trimming a file system of a guest did.</summary>
public sealed class GuestTrimResult(string mountPoint, long? trimmed, long? minimum)
{
    /// <summary>The mount point.</summary>
    public string MountPoint { get; } = mountPoint;

    /// <summary>How much was given back to the disk, in bytes, or null.</summary>
    public long? Trimmed { get; } = trimmed;

    /// <summary>The shortest free range that was given back, in bytes, or null.</summary>
    public long? Minimum { get; } = minimum;

    /// <summary>The mount point.</summary>
    public override string ToString() => MountPoint;
}

/// <summary>What guest-fstrim did.</summary>
/// <param name="Trimmed">The file systems that were trimmed; none where the agent does not tell (before QEMU 2.4).</param>
/// <param name="Failures">The errors of those that were not; the target of each is the mount point.</param>
public sealed record GuestTrimReport(IReadOnlyList<GuestTrimResult> Trimmed, IReadOnlyList<GuestAgentException> Failures)
{
    /// <summary>Whether a shortest free range was given, and the guest takes no account of it.</summary>
    public bool MinimumIgnored { get; init; }
}

/// <summary>The command that trims file systems.</summary>
public static class TrimCommands
{
    /// <summary>Gives the blocks that file systems do not use back to their disks (guest-fstrim). It may take long.</summary>
    /// <param name="session">The session.</param>
    /// <param name="minimum">The shortest free range worth giving back, in bytes; null for all.</param>
    /// <param name="call">Time limit and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation; the session stays usable.</param>
    /// <exception cref="GuestAgentException">As InvokeAsync.</exception>
    public static async Task<GuestTrimReport> TrimFileSystemsAsync(
        this GuestAgentSession session, long? minimum, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var reply = await session.InvokeAsync(
            new GuestAgentRequest("guest-fstrim", minimum is null ? null : new Hashtable { ["minimum"] = minimum }),
            call, cancellationToken).ConfigureAwait(false);
        var paths = reply.Objects("paths").ToLookup(path => path.Text("error") is null);
        return new GuestTrimReport(
            [.. paths[true].Select(path => new GuestTrimResult(MountPoint(path), path.Size("trimmed"), path.Size("minimum")))],
            [.. paths[false].Select(path => ErrorCatalogue.TrimFailed.WithTarget(
                MountPoint(path), session.Endpoint, MountPoint(path), path.Text("error")))]);
    }

    private static string MountPoint(JsonElement path) => path.Text("path") ?? "";
}
