using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations.Health;

/// <summary>
/// Waits until agents are ready. What is sent before the guest has opened its port waits there only as long as who sent it stays: it is
/// sent again on every connection, and the channel opened again.
/// </summary>
public static class AgentReadiness
{
    private static readonly TimeSpan FirstAttempt = TimeSpan.FromSeconds(2);

    // A slow agent answers each attempt late, and needs one that waits for it.
    private static readonly TimeSpan MaxAttempt = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan AddressPause = TimeSpan.FromSeconds(1);

    /// <summary>Waits until the agent of an endpoint, which may not be there yet, is ready.</summary>
    /// <param name="endpoint">The endpoint of the agent.</param>
    /// <param name="options">The session's bounds; null for the defaults.</param>
    /// <param name="call">Time limit (zero for none) and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>The session with it.</returns>
    /// <exception cref="GuestAgentException">AgentNotReady; and at once what waiting cannot mend, such as EndpointAccessDenied.</exception>
    public static Task<GuestAgentSession> WaitAsync(
        GuestAgentEndpoint endpoint, GuestAgentSessionOptions? options = null, CallOptions? call = null,
        CancellationToken cancellationToken = default) =>
        RetryAsync(
            attempt => GuestAgentSession.ConnectAsync(endpoint, options, attempt, cancellationToken), endpoint,
            new OperationTime(options?.TimeProvider ?? TimeProvider.System, call), cancellationToken);

    /// <summary>Waits until the agent of a session is ready, and the session in sync with it.</summary>
    /// <param name="session">The session.</param>
    /// <param name="call">Time limit (zero for none) and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation; the session stays usable.</param>
    /// <exception cref="GuestAgentException">AgentNotReady; and at once what waiting cannot mend, such as SessionClosed.</exception>
    public static Task WaitUntilReadyAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default) =>
        RetryAsync(
            attempt => session.SynchronizeAsync(attempt, cancellationToken), session.Endpoint, new OperationTime(session.Clock, call),
            cancellationToken);

    /// <summary>Waits until the guest has an address that others can reach.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="family">ipv4 or ipv6; null is any.</param>
    /// <param name="call">Time limit (zero for none) and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation; the session stays usable.</param>
    /// <exception cref="GuestAgentException">AddressNotSeen, and those of a command.</exception>
    public static async Task WaitForAddressAsync(
        this GuestAgentSession session, string? family, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var time = new OperationTime(session.Clock, call);
        while (true)
        {
            var interfaces = await session.GetNetworkInterfacesAsync(time.Command(), cancellationToken).ConfigureAwait(false);
            if (interfaces.ReachableAddresses().Any(address => family is null || address.Family == family))
            {
                return;
            }

            await time.DelayAsync(AddressPause, cancellationToken).ConfigureAwait(false);
            if (time.IsOver)
            {
                var others = string.Join(", ", interfaces.SelectMany(all => all.Addresses).Select(address => address.IPAddress));
                throw ErrorCatalogue.AddressNotSeen.With(
                    session.Endpoint, family is null ? "" : $"{family} ", time.Limit.TotalSeconds, others.Length > 0 ? $"only {others}" : "none");
            }
        }
    }

    private static async Task<T> RetryAsync<T>(
        Func<CallOptions, Task<T>> attempt, GuestAgentEndpoint endpoint, OperationTime time, CancellationToken cancellationToken)
    {
        GuestAgentException? last = null;
        for (var longest = FirstAttempt; ; longest = longest < MaxAttempt ? longest + longest : longest)
        {
            var call = time.Attempt(longest);
            try
            {
                return await attempt(call).ConfigureAwait(false);
            }
            catch (GuestAgentException e) when (MayPass(e))
            {
                // An attempt that the end has cut short does not tell why the agent is not ready, the one before does.
                if (last is null || e.Category != GuestAgentErrorCategory.OperationTimeout || call.Timeout == longest)
                {
                    last = e;
                }

                await time.DelayAsync(Pause, cancellationToken).ConfigureAwait(false);

                if (time.IsOver)
                {
                    throw ErrorCatalogue.AgentNotReady.Because(last, endpoint, time.Limit.TotalSeconds, last.Message);
                }
            }
        }
    }

    private static bool MayPass(GuestAgentException e) =>
        e.Category is GuestAgentErrorCategory.ConnectionError or GuestAgentErrorCategory.OperationTimeout
            or GuestAgentErrorCategory.ResourceBusy
        || e.Is(ErrorCatalogue.EndpointNotFound) || e.Is(ErrorCatalogue.ReplyMalformed);
}
