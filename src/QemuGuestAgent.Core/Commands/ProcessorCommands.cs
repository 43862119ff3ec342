using System.Text.Json;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Commands;

/// <summary>A processor of a guest.</summary>
public sealed class GuestProcessor(long? logicalId, bool? online, bool? canOffline)
{
    /// <summary>Its number in the guest, or null.</summary>
    public long? LogicalId { get; } = logicalId;

    /// <summary>Whether it is used, or null.</summary>
    public bool? Online { get; } = online;

    /// <summary>Whether it can be taken offline, or null.</summary>
    public bool? CanOffline { get; } = canOffline;

    /// <summary>The number of the processor.</summary>
    public override string ToString() => $"{LogicalId}";
}

/// <summary>What a processor of a guest has spent its time on since the guest's start. A time that is not told is null.</summary>
public sealed class GuestProcessorStatistics(
    long? logicalId, string? type, TimeSpan? user, TimeSpan? nice, TimeSpan? system, TimeSpan? idle, TimeSpan? ioWait,
    TimeSpan? irq, TimeSpan? softIrq, TimeSpan? steal, TimeSpan? nestedGuest, TimeSpan? nestedGuestNice)
{
    /// <summary>Its number in the guest, or null.</summary>
    public long? LogicalId { get; } = logicalId;

    /// <summary>The kind of numbers: linux is the only one so far.</summary>
    public string? Type { get; } = type;

    /// <summary>Programs.</summary>
    public TimeSpan? User { get; } = user;

    /// <summary>Programs of low priority.</summary>
    public TimeSpan? Nice { get; } = nice;

    /// <summary>The kernel.</summary>
    public TimeSpan? System { get; } = system;

    /// <summary>Nothing.</summary>
    public TimeSpan? Idle { get; } = idle;

    /// <summary>Nothing, while a program waited for a disk.</summary>
    public TimeSpan? IOWait { get; } = ioWait;

    /// <summary>Interrupts.</summary>
    public TimeSpan? Irq { get; } = irq;

    /// <summary>Deferred work of interrupts.</summary>
    public TimeSpan? SoftIrq { get; } = softIrq;

    /// <summary>Waiting for the host to let it run.</summary>
    public TimeSpan? Steal { get; } = steal;

    /// <summary>Guests of its own; contained in <see cref="User"/>.</summary>
    public TimeSpan? NestedGuest { get; } = nestedGuest;

    /// <summary>Guests of its own of low priority; contained in <see cref="Nice"/>.</summary>
    public TimeSpan? NestedGuestNice { get; } = nestedGuestNice;

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

    /// <summary>The number of the processor.</summary>
    public override string ToString() => $"{LogicalId}";
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
