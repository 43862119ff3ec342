using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Commands;

/// <summary>The command that sets a guest's clock.</summary>
public static class ClockSetting
{
    /// <summary>Sets the guest's clock (guest-set-time).</summary>
    /// <param name="session">The session.</param>
    /// <param name="time">The time; it is set in the guest's RTC too. Null sets the clock from the RTC.</param>
    /// <param name="call">Time and trace; null takes the usual ones.</param>
    /// <param name="cancellationToken">Gives up; the session stays usable.</param>
    /// <exception cref="GuestAgentException">TimeOutOfRange; and as InvokeAsync.</exception>
    public static async Task SetTimeAsync(
        this GuestAgentSession session, DateTime? time, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var nanoseconds = time is { } given
            ? UnixTime.ToNanoseconds(given) ?? throw ErrorCatalogue.TimeOutOfRange.With(given)
            : (long?)null;
        await session.InvokeAsync(
            new GuestAgentRequest("guest-set-time", nanoseconds is not { } number ? null : json =>
            {
                json.WriteStartObject();
                json.WriteNumber("time", number);
                json.WriteEndObject();
            }),
            call, cancellationToken).ConfigureAwait(false);
    }
}
