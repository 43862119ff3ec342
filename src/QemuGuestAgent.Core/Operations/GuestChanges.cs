using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations;

/// <summary>Changes of a guest that its system limits in a way that its agent does not tell of, or tells of badly.</summary>
public static class GuestChanges
{
    /// <summary>Sets the password of a user, where the guest's system takes it so.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="userName">The user; in Windows of a local account.</param>
    /// <param name="password">The password, or its hash.</param>
    /// <param name="call">Time limit for the whole operation, and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation; the session stays usable.</param>
    /// <exception cref="GuestAgentException">PasswordHashRefused, AccountNotLocal; and as InvokeAsync.</exception>
    public static async Task ChangePasswordAsync(
        this GuestAgentSession session, string userName, GuestPassword password,
        CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var time = new OperationTime(session.Clock, call);
        var platform = await GuestPlatform.FindAsync(session, time, cancellationToken).ConfigureAwait(false);
        var account = platform.AccountName(userName, password.IsHash, session.Endpoint);
        await session.SetUserPasswordAsync(account, password, time.Rest(), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gives the blocks that file systems do not use back to their disks, and tells whether the minimum counted.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="minimum">The shortest free range worth giving back, in bytes; null for all.</param>
    /// <param name="call">Time limit for the whole operation, and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation; the session stays usable.</param>
    /// <exception cref="GuestAgentException">As InvokeAsync.</exception>
    public static async Task<GuestTrimReport> TrimAsync(
        this GuestAgentSession session, long? minimum, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var time = new OperationTime(session.Clock, call);
        var isIgnored = minimum is not null
            && (await GuestPlatform.FindAsync(session, time, cancellationToken).ConfigureAwait(false)).IgnoresTrimMinimum;
        var report = await session.TrimFileSystemsAsync(minimum, time.Rest(), cancellationToken).ConfigureAwait(false);
        return report with { MinimumIgnored = isIgnored };
    }
}
