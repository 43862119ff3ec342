using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations;

/// <summary>Asks at once for what two commands tell of one thing.</summary>
public static class GuestOverviews
{
    /// <summary>Gets the guest's memory blocks, by number, each with its size if the agent reports it.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="call">Time limit for the whole operation, and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation; the session stays usable.</param>
    /// <inheritdoc cref="GuestAgentSession.InvokeAsync{T}" path="/exception"/>
    public static async Task<IReadOnlyList<GuestMemoryBlock>> GetSizedMemoryBlocksAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var timing = new OperationTime(session.Clock, call);
        var all = await session.GetMemoryBlocksAsync(timing.Rest(), cancellationToken).ConfigureAwait(false);
        var info = session.GetMemoryBlockSizeAsync(timing.Rest(), cancellationToken);
        var size = await info.OrDefaultIfRefused().ConfigureAwait(false);
        return [.. all.Select(block => new GuestMemoryBlock(block.PhysicalIndex, block.Online, block.CanOffline, size))];
    }

    /// <summary>Gets the guest's time, with its time zone if the agent reports it.</summary>
    /// <inheritdoc cref="GetSizedMemoryBlocksAsync"/>
    public static async Task<GuestTime> GetZonedTimeAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var timing = new OperationTime(session.Clock, call);
        var time = await session.GetTimeAsync(timing.Rest(), cancellationToken).ConfigureAwait(false);
        var zone = await session.GetTimeZoneAsync(timing.Rest(), cancellationToken).OrDefaultIfRefused().ConfigureAwait(false);
        return new GuestTime(time.Time, time.Offset, time.RoundTrip, zone);
    }
}
