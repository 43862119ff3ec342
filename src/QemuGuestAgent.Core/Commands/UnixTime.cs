namespace QemuGuestAgent.Core.Commands;

/// <summary>Conversion of times, which agents count from the start of 1970 in UTC.</summary>
internal static class UnixTime
{
    // 100 ns each.
    private const long NanosecondsPerTick = 100;

    private static readonly DateTime Epoch = new(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>The moment after a number of nanoseconds; all of them are within the range of <see cref="DateTime"/>.</summary>
    public static DateTime FromNanoseconds(long nanoseconds) => Epoch.AddTicks(nanoseconds / NanosecondsPerTick);

    /// <summary>The moment after a number of seconds, or null where it is beyond the range of <see cref="DateTime"/>.</summary>
    public static DateTime? FromSeconds(double seconds)
    {
        var ticks = seconds * TimeSpan.TicksPerSecond;
        return ticks > -Epoch.Ticks && ticks < DateTime.MaxValue.Ticks - Epoch.Ticks ? Epoch.AddTicks((long)ticks) : null;
    }

    /// <summary>The nanoseconds until a moment, or null where an agent cannot be told: before 1970, or past a signed 64-bit number.</summary>
    public static long? ToNanoseconds(DateTime moment) =>
        (moment.ToUniversalTime() - Epoch).Ticks is var ticks and >= 0 and <= long.MaxValue / NanosecondsPerTick
            ? ticks * NanosecondsPerTick
            : null;

    /// <summary>The seconds until a moment; negative before 1970.</summary>
    public static decimal ToSeconds(DateTime moment) => (decimal)(moment.ToUniversalTime() - Epoch).Ticks / TimeSpan.TicksPerSecond;
}
