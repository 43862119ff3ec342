using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Commands;

/// <summary>The command that sets a guest's clock.</summary>
public static class ClockSetting
{
    private const long NanosecondsPerTick = 100;

    private static readonly DateTime Epoch = new(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>Sets the guest's clock (guest-set-time).</summary>
    /// <param name="session">The session.</param>
    /// <param name="time">The time; it is set in the guest's RTC too. Null sets the clock from the RTC.</param>
    /// <param name="call">Time limit and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation; the session stays usable.</param>
    /// <exception cref="GuestAgentException">TimeOutOfRange; and as InvokeAsync.</exception>
    public static async Task SetTimeAsync(
        this GuestAgentSession session, DateTime? time, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var nanoseconds = time is { } given ? Nanoseconds(given) : (long?)null;
        await session.InvokeAsync(
            new GuestAgentRequest("guest-set-time", nanoseconds is not { } number ? null : json =>
            {
                json.WriteStartObject();
                json.WriteNumber("time", number);
                json.WriteEndObject();
            }),
            call, cancellationToken).ConfigureAwait(false);
    }

    private static long Nanoseconds(DateTime time)
    {
        var ticks = (time.ToUniversalTime() - Epoch).Ticks;
        return ticks is >= 0 and <= long.MaxValue / NanosecondsPerTick
            ? ticks * NanosecondsPerTick
            : throw ErrorCatalogue.TimeOutOfRange.With(time);
    }
}
