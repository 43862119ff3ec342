using System.Collections;
using System.Text.Json;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Schema;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Commands;

/// <summary>The commands that freeze and thaw file systems.</summary>
public static class FreezeCommands
{
    internal const string Freeze = "guest-fsfreeze-freeze";
    internal const string Thaw = "guest-fsfreeze-thaw";

    /// <summary>Asks whether the guest's file systems are frozen (guest-fsfreeze-status).</summary>
    /// <param name="session">The session.</param>
    /// <param name="call">Time limit and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation; the session stays usable.</param>
    /// <exception cref="GuestAgentException">As InvokeAsync.</exception>
    public static async Task<bool> GetFreezeStatusAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var status = await session.InvokeAsync(
            new GuestAgentRequest(FreezeStatus.Command), FreezeStatus.Read, call, cancellationToken).ConfigureAwait(false);
        return session.IsFrozen = status switch
        {
            FreezeStatus.Frozen => true,
            FreezeStatus.Thawed => false,
            var other => throw ErrorCatalogue.ReplyUnexpected.With(
                FreezeStatus.Command, session.Endpoint, $"it is '{other}', neither 'frozen' nor 'thawed'."),
        };
    }

    // The request that freezes the file systems at some places, or all where null. A reply that comes late still tells what it did.
    internal static GuestAgentRequest FreezeRequest(IReadOnlyList<string>? mountPoints) => mountPoints is null
        ? new(Freeze) { KeepsLateReply = true }
        : new("guest-fsfreeze-freeze-list", new Hashtable { ["mountpoints"] = mountPoints }) { KeepsLateReply = true };

    // The request that thaws all file systems.
    internal static GuestAgentRequest ThawRequest() => new(Thaw) { KeepsLateReply = true };

    // How many file systems a reply tells of, or null for one that is no number.
    internal static int? CountOf(JsonElement reply) =>
        reply.ValueKind == JsonValueKind.Number && reply.TryGetInt32(out var count) ? count : null;
}
