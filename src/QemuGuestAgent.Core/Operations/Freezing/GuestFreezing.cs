using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations.Freezing;

/// <summary>Guests that something else froze or will thaw.</summary>
public static class GuestFreezing
{
    /// <summary>
    /// Whether a guest was found frozen: by a script that ended early, for example. It is asked only where guest-info looks like it.
    /// </summary>
    /// <param name="session">The session with its agent.</param>
    /// <param name="call">Time limit and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation; the session stays usable.</param>
    /// <exception cref="GuestAgentException">As InvokeAsync, but not where the agent refuses to tell.</exception>
    public static async Task<bool> IsFoundFrozenAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default) =>
        session.Agent?.LooksFrozen != false
        && await session.GetFreezeStatusAsync(call, cancellationToken).OrDefaultIfRefused().ConfigureAwait(false);

    /// <summary>
    /// How long the guest can stay frozen; null is without limit. After it the guest lets writes through, while its agent calls it frozen
    /// until it is thawed. A guest that is frozen does not tell.
    /// </summary>
    /// <param name="session">The session with its agent.</param>
    /// <param name="call">Time limit and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation; the session stays usable.</param>
    /// <exception cref="GuestAgentException">As InvokeAsync, but not where the agent refuses to tell.</exception>
    public static async Task<TimeSpan?> GetFreezeLimitAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default) =>
        (await GuestPlatform.FindAsync(session, new OperationTime(session.Clock, call), cancellationToken).ConfigureAwait(false)).FreezeLimit;

    /// <summary>
    /// Thaws a guest, whoever froze it. A thaw that gets lost is sent again. One that is not needed changes nothing: an agent that was
    /// restarted may not know of the freeze that its guest is in.
    /// </summary>
    /// <param name="session">The session with its agent.</param>
    /// <param name="call">Time limit for the whole operation, and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation; the session stays usable.</param>
    /// <returns>WindowsFreezeLimit or ThawFailed, where it is thawed and the agent reports a failure; else null.</returns>
    /// <exception cref="GuestAgentException">GuestLeftFrozen, FreezeNotSupported.</exception>
    public static async Task<GuestAgentException?> ThawAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var options = new FreezeOptions { SettleTime = (call ?? new CallOptions()).Timeout };
        var outcome = await new GuestFreeze(session, options, call?.Trace).ThawAsync(cancellationToken).ConfigureAwait(false);
        return outcome.Result switch
        {
            FreezeResult.LeftFrozen or FreezeResult.NotFrozen => throw outcome.Error!,
            FreezeResult.WindowsFreezeLimit or FreezeResult.ThawFailed => outcome.Error,
            _ => null,
        };
    }
}
