using System.Collections;
using System.Globalization;
using System.Text.Json;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Commands;

/// <summary>A guest's clock, compared with this machine's.</summary>
public sealed class GuestTime(DateTime time, TimeSpan offset, TimeSpan roundTrip, GuestTimeZone? timeZone = null)
{
    /// <summary>The guest's time, in UTC, when it answered.</summary>
    public DateTime Time { get; } = time;

    /// <summary>How far the guest's clock is ahead of this computer's, negative if it is behind; half of the round trip is subtracted.</summary>
    public TimeSpan Offset { get; } = offset;

    /// <summary>How long the request and its reply took. The error of the offset is at most half of it.</summary>
    public TimeSpan RoundTrip { get; } = roundTrip;

    /// <summary>The guest's time zone, or null if it was not requested or reported.</summary>
    public GuestTimeZone? TimeZone { get; } = timeZone;

    /// <summary>The guest's time, in UTC, as 2026-01-31 23:59:59Z.</summary>
    public override string ToString() => Time.ToString("u", CultureInfo.InvariantCulture);
}

/// <summary>A guest's time zone.</summary>
public sealed class GuestTimeZone(string? name, TimeSpan? utcOffset)
{
    /// <summary>The zone's name in the guest, or null.</summary>
    public string? Name { get; } = name;

    /// <summary>The id of the zone in Windows, such as W. Europe Standard Time; null where the guest's name for it is none, and on .NET Framework.</summary>
    public string? WindowsId => WindowsNames.FindTimeZone(Name).WindowsId;

    /// <summary>The IANA name of the zone, such as Europe/Berlin, where it is known by its id in Windows; else null, as on .NET Framework.</summary>
    public string? IanaId => WindowsNames.FindTimeZone(Name).IanaId;

    /// <summary>How far the zone's time is ahead of UTC now, negative west of Greenwich, or null.</summary>
    public TimeSpan? UtcOffset { get; } = utcOffset;

    /// <summary>The zone and its offset, as CET (+01:00).</summary>
    public override string ToString()
    {
        if (UtcOffset is not { } ahead)
        {
            return Name ?? "";
        }

        var offset = (ahead < TimeSpan.Zero ? "-" : "+") + ahead.ToString(@"hh\:mm", CultureInfo.InvariantCulture);
        return Name is null ? offset : $"{Name} ({offset})";
    }
}

/// <summary>The commands about a guest's clock.</summary>
public static class TimeCommands
{
    // Windows' agent says so after it has succeeded (QEMU qga/commands-win32.c); only its text tells.
    private const string NotAccurate = "No internet connection on guest, sync not accurate";

    // No zone is further away from UTC than that.
    private const long MaxSeconds = 24 * 60 * 60;

    /// <summary>Gets the guest's time (guest-get-time), and compares it with this machine's.</summary>
    /// <inheritdoc cref="GuestAgentSession.InvokeAsync{T}"/>
    public static async Task<GuestTime> GetTimeAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        // Measured from the writing of the request to the reading of its reply: waits and a synchronisation are left out.
        long sent = 0;
        DateTimeOffset hostTime = default;
        var request = new GuestAgentRequest("guest-get-time", json =>
        {
            json.WriteStartObject();
            json.WriteEndObject();
            hostTime = session.Clock.GetUtcNow();
            sent = session.Clock.GetTimestamp();
        });
        var (guestTime, roundTrip) = await session.InvokeAsync(
            request,
            (ref Utf8JsonReader reader) => (UnixTime.FromNanoseconds(reader.GetInt64()), session.Clock.GetElapsedTime(sent)),
            call, cancellationToken).ConfigureAwait(false);
        var halfWay = TimeSpan.FromTicks(roundTrip.Ticks / 2);
        return new GuestTime(guestTime, guestTime - hostTime.UtcDateTime - halfWay, roundTrip);
    }

    /// <summary>Gets the guest's time zone (guest-get-timezone, QEMU 2.10).</summary>
    /// <inheritdoc cref="GuestAgentSession.InvokeAsync{T}"/>
    public static Task<GuestTimeZone> GetTimeZoneAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default) =>
        session.AskAsync("guest-get-timezone", ParseTimeZone, call, cancellationToken);

    /// <summary>Sets the guest's clock (guest-set-time).</summary>
    /// <param name="session">The session.</param>
    /// <param name="time">
    /// The time; it is set in the guest's RTC too. Null sets the clock from the RTC, or in Windows by its time service.
    /// </param>
    /// <param name="call">Time limit and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation; the session stays usable.</param>
    /// <returns>What the agent warns of though the clock was set, or null.</returns>
    /// <exception cref="GuestAgentException">TimeOutOfRange; and as InvokeAsync.</exception>
    public static async Task<string?> SetTimeAsync(
        this GuestAgentSession session, DateTime? time, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var nanoseconds = time is { } given
            ? UnixTime.ToNanoseconds(given) ?? throw ErrorCatalogue.TimeOutOfRange.With(given)
            : (long?)null;
        try
        {
            await session.InvokeAsync(
                new GuestAgentRequest("guest-set-time", nanoseconds is null ? null : new Hashtable { ["time"] = nanoseconds }),
                call, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (GuestAgentException e) when (time is null && e.AgentErrorText == NotAccurate)
        {
            return e.AgentErrorText;
        }
    }

    internal static GuestTimeZone ParseTimeZone(JsonElement reply) => new(
        reply.Text("zone"),
        reply.Number("offset") is >= -MaxSeconds and <= MaxSeconds and var seconds
            ? TimeSpan.FromTicks(seconds * TimeSpan.TicksPerSecond)
            : null);
}
