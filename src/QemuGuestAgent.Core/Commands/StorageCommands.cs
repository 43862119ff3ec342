using System.Text.Json;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Commands;

/// <summary>Where a disk is attached to a guest.</summary>
/// <param name="BusType">The kind of bus: virtio, scsi, nvme, usb, … (QEMU: GuestDiskBusType), or what an agent says.</param>
/// <param name="Bus">The bus, or null where it is not known.</param>
/// <param name="Target">The target on the bus, or null where it is not known.</param>
/// <param name="Unit">The unit of the target, or null where it is not known.</param>
/// <param name="PciAddress">The controller's PCI address, as 0000:00:04.0, or null where it is not known or not on PCI.</param>
/// <param name="CcwAddress">The channel address on s390x, as fe.0.0001, or null (QEMU 6.0).</param>
/// <param name="Serial">The disk's serial number, or null (QEMU 3.1).</param>
/// <param name="Device">The disk's device in the guest, or null (QEMU 3.1).</param>
public sealed record GuestDiskAddress(
    string? BusType, long? Bus, long? Target, long? Unit, string? PciAddress, string? CcwAddress, string? Serial, string? Device)
{
    /// <summary>The bus and the place on it, as virtio 0000:00:04.0 or sata 0:1:0.</summary>
    public override string ToString()
    {
        var place = PciAddress ?? CcwAddress ?? (Bus is null && Target is null && Unit is null ? null : $"{Bus}:{Target}:{Unit}");
        return string.Join(" ", new[] { BusType, place }.Where(part => part is not null));
    }
}

/// <summary>A file system that is mounted in a guest. Network file systems are not listed.</summary>
/// <param name="Name">The device's name, as vda2, or the volume's for Windows.</param>
/// <param name="MountPoint">The mount point.</param>
/// <param name="Type">Its type, as ext4 or NTFS.</param>
/// <param name="Size">The size available to users other than root, in bytes, or null (QEMU 3.0).</param>
/// <param name="Used">How much of it is used, in bytes, or null (QEMU 3.0).</param>
/// <param name="PrivilegedSize">The size including the space reserved for root, in bytes, or null (QEMU 9.1).</param>
/// <param name="Disks">The disks that it lies on; none where the agent does not know the kind of disk.</param>
public sealed record GuestFileSystem(
    string Name, string MountPoint, string? Type, long? Size, long? Used, long? PrivilegedSize,
    IReadOnlyList<GuestDiskAddress> Disks)
{
    // Types whose file systems are read-only images.
    private static readonly HashSet<string> Images =
        new(["squashfs", "erofs", "cramfs", "iso9660", "udf", "CDFS"], StringComparer.OrdinalIgnoreCase);

    /// <summary>The free space for users other than root, in bytes, or null.</summary>
    public long? Free => Size - Used is { } free ? Math.Max(0, free) : null;

    /// <summary>How full it is for users other than root, in percent, or null.</summary>
    public double? PercentUsed => Size > 0 && Used is { } used ? Math.Round(100.0 * used / Size.Value, 1) : null;

    // Whether it is a read-only image, which is always full.
    internal bool IsImage => Type is { } type && Images.Contains(type);
}

/// <summary>A disk, a partition or another block device of a guest.</summary>
/// <param name="Name">Its name in the guest, as /dev/vda or \\.\PhysicalDrive0.</param>
/// <param name="IsPartition">Whether it is a partition, or null.</param>
/// <param name="Dependencies">The devices that it consists of: the disk of a partition, those of a logical volume.</param>
/// <param name="Address">The address to which it is attached, or null if it consists of others or the agent does not know.</param>
/// <param name="Alias">The name that it has beside, as that of a logical volume, or null.</param>
/// <param name="Health">What an NVMe disk says of its own health, or null (QEMU 7.1).</param>
public sealed record GuestDisk(
    string Name, bool? IsPartition, IReadOnlyList<string> Dependencies, GuestDiskAddress? Address, string? Alias,
    GuestDiskHealth? Health);

/// <summary>What an NVMe disk says of its own health, as in the NVMe specification (log page 02h). Null is not told.</summary>
/// <param name="Type">The kind of disk: nvme is the only one so far.</param>
/// <param name="CriticalWarning">The bits of the critical warnings; 0 is none.</param>
/// <param name="TemperatureCelsius">The temperature, in degrees Celsius.</param>
/// <param name="PercentSpare">The spare capacity that is left, in percent.</param>
/// <param name="PercentSpareThreshold">The spare capacity below which the disk warns, in percent.</param>
/// <param name="PercentWorn">How much of its expected life is used, in percent; may pass 100.</param>
/// <param name="BytesRead">Read by the host, in bytes, in units of 512,000.</param>
/// <param name="BytesWritten">Written by the host, in bytes, in units of 512,000.</param>
/// <param name="Reads">Read commands.</param>
/// <param name="Writes">Write commands.</param>
/// <param name="BusyTime">How long it was busy, in minutes.</param>
/// <param name="PowerOnTime">How long it was on, in hours.</param>
/// <param name="PowerCycles">How often it was switched on.</param>
/// <param name="UnsafeShutdowns">How often it lost its power unprepared.</param>
/// <param name="MediaErrors">Errors of the medium that were not put right.</param>
/// <param name="ErrorLogEntries">Entries in its log of errors.</param>
public sealed record GuestDiskHealth(
    string? Type, long? CriticalWarning, long? TemperatureCelsius, long? PercentSpare, long? PercentSpareThreshold,
    long? PercentWorn, ulong? BytesRead, ulong? BytesWritten, ulong? Reads, ulong? Writes, TimeSpan? BusyTime,
    TimeSpan? PowerOnTime, ulong? PowerCycles, ulong? UnsafeShutdowns, ulong? MediaErrors, ulong? ErrorLogEntries);

/// <summary>The counters of a disk or partition since the guest's start. Null is not told: older kernels count less.</summary>
/// <param name="Name">The device's name, as vda1.</param>
/// <param name="Major">The device's major number.</param>
/// <param name="Minor">The device's minor number.</param>
/// <param name="BytesRead">Read, in bytes.</param>
/// <param name="BytesWritten">Written, in bytes.</param>
/// <param name="BytesDiscarded">Discarded, in bytes.</param>
/// <param name="Reads">Reads that ended.</param>
/// <param name="Writes">Writes that ended.</param>
/// <param name="Discards">Discards that ended.</param>
/// <param name="Flushes">Flushes that ended.</param>
/// <param name="ReadsMerged">Reads that became part of another.</param>
/// <param name="WritesMerged">Writes that became part of another.</param>
/// <param name="DiscardsMerged">Discards that became part of another.</param>
/// <param name="ReadTime">How long all reads took together.</param>
/// <param name="WriteTime">How long all writes took together.</param>
/// <param name="DiscardTime">How long all discards took together.</param>
/// <param name="FlushTime">How long all flushes took together.</param>
/// <param name="InProgress">Requests that have not ended yet.</param>
/// <param name="BusyTime">How long there was a request to work on.</param>
/// <param name="QueueTime">How long all requests took together, those that have not ended included.</param>
public sealed record GuestDiskStatistics(
    string Name, long? Major, long? Minor, ulong? BytesRead, ulong? BytesWritten, ulong? BytesDiscarded, ulong? Reads,
    ulong? Writes, ulong? Discards, ulong? Flushes, ulong? ReadsMerged, ulong? WritesMerged, ulong? DiscardsMerged,
    TimeSpan? ReadTime, TimeSpan? WriteTime, TimeSpan? DiscardTime, TimeSpan? FlushTime, ulong? InProgress, TimeSpan? BusyTime,
    TimeSpan? QueueTime);

/// <summary>The commands about a guest's disks and file systems.</summary>
public static class StorageCommands
{
    // The kernel's counters are in these, whatever the disk has.
    private const uint SectorSize = 512;

    // The unit of the NVMe specification: a thousand of 512 bytes.
    private const uint NvmeDataUnit = 512_000;

    private const long ZeroCelsius = 273;

    private static readonly TimeSpan Millisecond = TimeSpan.FromTicks(TimeSpan.TicksPerMillisecond);

    /// <summary>Gets the file systems that are mounted in the guest (guest-get-fsinfo, QEMU 2.2).</summary>
    /// <inheritdoc cref="GuestAgentSession.InvokeAsync{T}"/>
    public static Task<IReadOnlyList<GuestFileSystem>> GetFileSystemsAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default) =>
        session.QueryListAsync("guest-get-fsinfo", ParseFileSystem, call, cancellationToken);

    /// <summary>Gets the guest's disks and partitions (guest-get-disks, QEMU 5.2).</summary>
    /// <inheritdoc cref="GuestAgentSession.InvokeAsync{T}"/>
    public static Task<IReadOnlyList<GuestDisk>> GetDisksAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default) =>
        session.QueryListAsync("guest-get-disks", ParseDisk, call, cancellationToken);

    /// <summary>Gets the counters of the guest's disks and partitions (guest-get-diskstats, QEMU 7.1, Linux).</summary>
    /// <inheritdoc cref="GuestAgentSession.InvokeAsync{T}"/>
    public static Task<IReadOnlyList<GuestDiskStatistics>> GetDiskStatisticsAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default) =>
        session.QueryListAsync("guest-get-diskstats", ParseStatistics, call, cancellationToken);

    internal static GuestFileSystem ParseFileSystem(JsonElement item) => new(
        item.Text("name") ?? "",
        item.Text("mountpoint") ?? "",
        item.Text("type"),
        item.Size("total-bytes"),
        item.Size("used-bytes"),
        item.Size("total-bytes-privileged"),
        [.. item.Objects("disk").Select(ParseAddress)]);

    internal static GuestDisk ParseDisk(JsonElement item) => new(
        item.Text("name") ?? "",
        item.Flag("partition"),
        [.. item.Texts("dependencies")],
        item.Object("address") is { } address ? ParseAddress(address) : null,
        item.Text("alias"),
        item.Object("smart") is { } health ? ParseHealth(health) : null);

    internal static GuestDiskStatistics ParseStatistics(JsonElement item)
    {
        var counters = item.Object("stats") ?? default;
        ulong? Count(string member) => counters.Counter(member);
        ulong? Bytes(string member) => counters.Bytes(member, SectorSize);
        TimeSpan? Time(string member) => counters.Duration(member, Millisecond);
        return new GuestDiskStatistics(
            item.Text("name") ?? "", item.Number("major"), item.Number("minor"),
            Bytes("read-sectors"), Bytes("write-sectors"), Bytes("discard-sectors"),
            Count("read-ios"), Count("write-ios"), Count("discard-ios"), Count("flush-ios"),
            Count("read-merges"), Count("write-merges"), Count("discard-merges"),
            Time("read-ticks"), Time("write-ticks"), Time("discard-ticks"), Time("flush-ticks"),
            Count("ios-pgr"), Time("total-ticks"), Time("weight-ticks"));
    }

    private static GuestDiskAddress ParseAddress(JsonElement item) => new(
        item.Text("bus-type"),
        item.Size("bus"),
        item.Size("target"),
        item.Size("unit"),
        item.Object("pci-controller") is { } pci ? PciAddress(pci) : null,
        item.Object("ccw-address") is { } ccw ? CcwAddress(ccw) : null,
        item.Text("serial"),
        item.Text("dev"));

    private static string? PciAddress(JsonElement pci) =>
        pci.Size("domain") is { } domain && pci.Size("bus") is { } bus
            && pci.Size("slot") is { } slot && pci.Size("function") is { } function
            ? $"{domain:x4}:{bus:x2}:{slot:x2}.{function:x}"
            : null;

    private static string? CcwAddress(JsonElement ccw) =>
        ccw.Size("cssid") is { } channel && ccw.Size("ssid") is { } set && ccw.Size("devno") is { } device
            ? $"{channel:x}.{set:x}.{device:x4}"
            : null;

    private static GuestDiskHealth ParseHealth(JsonElement item)
    {
        // Of the specification's 128 bits no disk uses the upper half.
        ulong? Count(string counter) => item.Counter(counter + "-lo");
        return new GuestDiskHealth(
            item.Text("type"),
            item.Size("critical-warning"),
            item.Size("temperature") - ZeroCelsius,
            item.Size("available-spare"),
            item.Size("available-spare-threshold"),
            item.Size("percentage-used"),
            item.Bytes("data-units-read-lo", NvmeDataUnit),
            item.Bytes("data-units-written-lo", NvmeDataUnit),
            Count("host-read-commands"),
            Count("host-write-commands"),
            item.Duration("controller-busy-time-lo", TimeSpan.FromMinutes(1)),
            item.Duration("power-on-hours-lo", TimeSpan.FromHours(1)),
            Count("power-cycles"),
            Count("unsafe-shutdowns"),
            Count("media-errors"),
            Count("number-of-error-log-entries"));
    }
}
