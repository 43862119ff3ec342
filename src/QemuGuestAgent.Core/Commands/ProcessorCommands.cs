using System.Text.Json;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Commands;

/// <summary>A processor of a guest.</summary>
/// <param name="LogicalId">Its number in the guest, or null.</param>
/// <param name="Online">Whether it is used, or null.</param>
/// <param name="CanOffline">Whether it can be taken offline, or null.</param>
public sealed record GuestProcessor(long? LogicalId, bool? Online, bool? CanOffline);

/// <summary>What a processor of a guest has spent its time on since the guest's start. A time that is not told is null.</summary>
/// <param name="LogicalId">Its number in the guest, or null.</param>
/// <param name="Type">The kind of numbers: linux is the only one so far.</param>
/// <param name="User">Programs.</param>
/// <param name="Nice">Programs of low priority.</param>
/// <param name="System">The kernel.</param>
/// <param name="Idle">Nothing.</param>
/// <param name="IOWait">Nothing, while a program waited for a disk.</param>
/// <param name="Irq">Interrupts.</param>
/// <param name="SoftIrq">Deferred work of interrupts.</param>
/// <param name="Steal">Waiting for the host to let it run.</param>
/// <param name="Guest">Guests of its own; contained in <paramref name="User"/>.</param>
/// <param name="GuestNice">Guests of its own of low priority; contained in <paramref name="Nice"/>.</param>
public sealed record GuestProcessorStatistics(
    long? LogicalId, string? Type, TimeSpan? User, TimeSpan? Nice, TimeSpan? System, TimeSpan? Idle, TimeSpan? IOWait,
    TimeSpan? Irq, TimeSpan? SoftIrq, TimeSpan? Steal, TimeSpan? Guest, TimeSpan? GuestNice)
{
    /// <summary>The part of the time in which it was neither idle nor waiting for a disk, in percent, or null.</summary>
    public double? PercentBusy
    {
        get
        {
            var busy = Sum(User, Nice, System, Irq, SoftIrq, Steal);
            var all = busy + Sum(Idle, IOWait);
            return Idle is null || all <= 0 ? null : Math.Round(100 * busy / all, 1);
        }
    }

    // As real numbers: the counters of a hostile guest may add up to more than a TimeSpan holds.
    private static double Sum(params TimeSpan?[] times) => times.Sum(time => (double)(time?.Ticks ?? 0));
}

/// <summary>The commands about a guest's processors.</summary>
public static class ProcessorCommands
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromTicks(TimeSpan.TicksPerMillisecond);

    /// <summary>Gets the guest's processors (guest-get-vcpus), by number.</summary>
    /// <inheritdoc cref="GuestAgentSession.InvokeAsync{T}"/>
    public static async Task<IReadOnlyList<GuestProcessor>> GetProcessorsAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var found = await session.QueryListAsync("guest-get-vcpus", ParseProcessor, call, cancellationToken).ConfigureAwait(false);
        return [.. found.OrderBy(processor => processor.LogicalId)];
    }

    /// <summary>Asks what the guest's processors spent their time on (guest-get-cpustats, QEMU 7.1, Linux).</summary>
    /// <inheritdoc cref="GuestAgentSession.InvokeAsync{T}"/>
    public static async Task<IReadOnlyList<GuestProcessorStatistics>> GetProcessorStatisticsAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var found = await session.QueryListAsync("guest-get-cpustats", ParseTimes, call, cancellationToken).ConfigureAwait(false);
        return [.. found.OrderBy(processor => processor.LogicalId)];
    }

    internal static GuestProcessor ParseProcessor(JsonElement item) =>
        new(item.Number("logical-id"), item.Flag("online"), item.Flag("can-offline"));

    internal static GuestProcessorStatistics ParseTimes(JsonElement item)
    {
        TimeSpan? Time(string member) => item.Duration(member, Millisecond);
        return new GuestProcessorStatistics(
            item.Number("cpu"), item.Text("type"),
            Time("user"), Time("nice"), Time("system"), Time("idle"), Time("iowait"),
            Time("irq"), Time("softirq"), Time("steal"), Time("guest"), Time("guestnice"));
    }
}
