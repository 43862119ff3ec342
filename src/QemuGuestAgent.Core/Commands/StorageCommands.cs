using System.Globalization;
using System.Text.Json;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Commands;

/// <summary>Where a disk is attached to a guest.</summary>
public sealed class GuestDiskAddress(
    string? busType, long? bus, long? target, long? unit, string? pciAddress, string? ccwAddress, string? serial, string? device)
{
    /// <summary>The kind of bus: virtio, scsi, nvme, usb, … (QEMU: GuestDiskBusType), or what an agent says.</summary>
    public string? BusType { get; } = busType;

    /// <summary>The bus, or null where it is not known.</summary>
    public long? Bus { get; } = bus;

    /// <summary>The target on the bus, or null where it is not known.</summary>
    public long? Target { get; } = target;

    /// <summary>The unit of the target, or null where it is not known.</summary>
    public long? Unit { get; } = unit;

    /// <summary>The controller's PCI address, such as 0000:00:04.0, or null where it is not known or not on PCI.</summary>
    public string? PciAddress { get; } = pciAddress;

    /// <summary>The channel address on s390x, as fe.0.0001, or null (QEMU 6.0).</summary>
    public string? CcwAddress { get; } = ccwAddress;

    /// <summary>The disk's serial number, or null (QEMU 3.1).</summary>
    public string? Serial { get; } = serial;

    /// <summary>The disk's device in the guest, or null (QEMU 3.1).</summary>
    public string? Device { get; } = device;

    /// <summary>The bus and the place on it, as virtio 0000:00:04.0 or sata 0:1:0.</summary>
    public override string ToString()
    {
        var place = PciAddress ?? CcwAddress ?? (Bus is null && Target is null && Unit is null ? null : $"{Bus}:{Target}:{Unit}");
        return string.Join(" ", new[] { BusType, place }.Where(part => part is not null));
    }
}

/// <summary>A file system that is mounted in a guest. Network file systems are not listed.</summary>
public sealed class GuestFileSystem(
    string name, string mountPoint, string? type, long? size, long? used, long? privilegedSize, GuestDiskAddress[] disks)
{
    /// <summary>The device's name, as vda2, or the volume's for Windows.</summary>
    public string Name { get; } = name;

    /// <summary>The mount point.</summary>
    public string MountPoint { get; } = mountPoint;

    /// <summary>Its type, such as ext4 or NTFS.</summary>
    public string? Type { get; } = type;

    /// <summary>The size available to users other than root, in bytes, or null (QEMU 3.0).</summary>
    public long? Size { get; } = size;

    /// <summary>How much of it is used, in bytes, or null (QEMU 3.0).</summary>
    public long? Used { get; } = used;

    /// <summary>The size including the space reserved for root, in bytes, or null (QEMU 9.1).</summary>
    public long? PrivilegedSize { get; } = privilegedSize;

    /// <summary>The disks that it lies on; none where the agent does not know the kind of disk.</summary>
    public GuestDiskAddress[] Disks { get; } = disks;

    // Types whose file systems are read-only images.
    private static readonly HashSet<string> Images =
        new(["squashfs", "erofs", "cramfs", "iso9660", "udf", "CDFS"], StringComparer.OrdinalIgnoreCase);

    /// <summary>The free space for users other than root, in bytes, or null.</summary>
    public long? Free => Size - Used is { } free ? Math.Max(0, free) : null;

    /// <summary>How full it is for users other than root, in percent, or null.</summary>
    public double? PercentUsed => Size > 0 && Used is { } used ? Math.Round(100.0 * used / Size.Value, 1) : null;

    // Whether it is a read-only image, which is always full.
    internal bool IsImage => Type is { } type && Images.Contains(type);

    /// <summary>The mount point.</summary>
    public override string ToString() => MountPoint;
}

/// <summary>A disk, a partition or another block device of a guest.</summary>
public sealed class GuestDisk(
    string name, bool? isPartition, string[] dependencies, GuestDiskAddress? busAddress, string? alias, GuestDiskHealth? health)
{
    /// <summary>Its name in the guest, as /dev/vda or \\.\PhysicalDrive0.</summary>
    public string Name { get; } = name;

    /// <summary>Whether it is a partition, or null.</summary>
    public bool? IsPartition { get; } = isPartition;

    /// <summary>The devices that it consists of: the disk of a partition, those of a logical volume.</summary>
    public string[] Dependencies { get; } = dependencies;

    /// <summary>The address to which it is attached, or null if it consists of others or the agent does not know.</summary>
    public GuestDiskAddress? BusAddress { get; } = busAddress;

    /// <summary>An alternative name, such as that of a logical volume, or null.</summary>
    public string? Alias { get; } = alias;

    /// <summary>What an NVMe disk says of its own health, or null (QEMU 7.1).</summary>
    public GuestDiskHealth? Health { get; } = health;

    /// <summary>The disk's name.</summary>
    public override string ToString() => Name;
}

/// <summary>What an NVMe disk says of its own health, as in the NVMe specification (log page 02h). Null is not told.</summary>
public sealed class GuestDiskHealth(
    string? type, long? criticalWarning, long? temperatureCelsius, long? percentSpare, long? percentSpareThreshold,
    long? percentWorn, ulong? bytesRead, ulong? bytesWritten, ulong? reads, ulong? writes, TimeSpan? busyTime,
    TimeSpan? powerOnTime, ulong? powerCycles, ulong? unsafeShutdowns, ulong? mediaErrors, ulong? errorLogEntries)
{
    /// <summary>The kind of disk: nvme is the only one so far.</summary>
    public string? Type { get; } = type;

    /// <summary>The bits of the critical warnings; 0 is none.</summary>
    public long? CriticalWarning { get; } = criticalWarning;

    /// <summary>The temperature, in degrees Celsius.</summary>
    public long? TemperatureCelsius { get; } = temperatureCelsius;

    /// <summary>The spare capacity that is left, in percent.</summary>
    public long? PercentSpare { get; } = percentSpare;

    /// <summary>The spare capacity below which the disk warns, in percent.</summary>
    public long? PercentSpareThreshold { get; } = percentSpareThreshold;

    /// <summary>How much of its expected life is used, in percent; it may exceed 100.</summary>
    public long? PercentWorn { get; } = percentWorn;

    /// <summary>Read by the host, in bytes, in units of 512,000.</summary>
    public ulong? BytesRead { get; } = bytesRead;

    /// <summary>Written by the host, in bytes, in units of 512,000.</summary>
    public ulong? BytesWritten { get; } = bytesWritten;

    /// <summary>Read commands.</summary>
    public ulong? Reads { get; } = reads;

    /// <summary>Write commands.</summary>
    public ulong? Writes { get; } = writes;

    /// <summary>How long it was busy, in minutes.</summary>
    public TimeSpan? BusyTime { get; } = busyTime;

    /// <summary>How long it was on, in hours.</summary>
    public TimeSpan? PowerOnTime { get; } = powerOnTime;

    /// <summary>How often it was switched on.</summary>
    public ulong? PowerCycles { get; } = powerCycles;

    /// <summary>How often it lost power without being shut down.</summary>
    public ulong? UnsafeShutdowns { get; } = unsafeShutdowns;

    /// <summary>Uncorrected errors of the medium.</summary>
    public ulong? MediaErrors { get; } = mediaErrors;

    /// <summary>Entries in its log of errors.</summary>
    public ulong? ErrorLogEntries { get; } = errorLogEntries;

    /// <summary>The wear and the errors, as 12% worn, 0 media errors.</summary>
    public override string ToString() => $"{PercentWorn?.ToString(CultureInfo.InvariantCulture) ?? "?"}% worn, {MediaErrors?.ToString(CultureInfo.InvariantCulture) ?? "?"} media errors";
}

/// <summary>The counters of a disk or partition since the guest's start. Null is not told: older kernels count less.</summary>
public sealed class GuestDiskStatistics(
    string name, long? major, long? minor, ulong? bytesRead, ulong? bytesWritten, ulong? bytesDiscarded, ulong? reads,
    ulong? writes, ulong? discards, ulong? flushes, ulong? readsMerged, ulong? writesMerged, ulong? discardsMerged,
    TimeSpan? readTime, TimeSpan? writeTime, TimeSpan? discardTime, TimeSpan? flushTime, ulong? inProgress, TimeSpan? busyTime,
    TimeSpan? queueTime)
{
    /// <summary>The device's name, such as vda1.</summary>
    public string Name { get; } = name;

    /// <summary>The device's major number.</summary>
    public long? Major { get; } = major;

    /// <summary>The device's minor number.</summary>
    public long? Minor { get; } = minor;

    /// <summary>Read, in bytes.</summary>
    public ulong? BytesRead { get; } = bytesRead;

    /// <summary>Written, in bytes.</summary>
    public ulong? BytesWritten { get; } = bytesWritten;

    /// <summary>Discarded, in bytes.</summary>
    public ulong? BytesDiscarded { get; } = bytesDiscarded;

    /// <summary>Reads that ended.</summary>
    public ulong? Reads { get; } = reads;

    /// <summary>Writes that ended.</summary>
    public ulong? Writes { get; } = writes;

    /// <summary>Discards that ended.</summary>
    public ulong? Discards { get; } = discards;

    /// <summary>Flushes that ended.</summary>
    public ulong? Flushes { get; } = flushes;

    /// <summary>Reads that became part of another.</summary>
    public ulong? ReadsMerged { get; } = readsMerged;

    /// <summary>Writes that became part of another.</summary>
    public ulong? WritesMerged { get; } = writesMerged;

    /// <summary>Discards that became part of another.</summary>
    public ulong? DiscardsMerged { get; } = discardsMerged;

    /// <summary>How long all reads took together.</summary>
    public TimeSpan? ReadTime { get; } = readTime;

    /// <summary>How long all writes took together.</summary>
    public TimeSpan? WriteTime { get; } = writeTime;

    /// <summary>How long all discards took together.</summary>
    public TimeSpan? DiscardTime { get; } = discardTime;

    /// <summary>How long all flushes took together.</summary>
    public TimeSpan? FlushTime { get; } = flushTime;

    /// <summary>Requests that have not ended yet.</summary>
    public ulong? InProgress { get; } = inProgress;

    /// <summary>How long there was a request to work on.</summary>
    public TimeSpan? BusyTime { get; } = busyTime;

    /// <summary>How long all requests took together, those that have not ended included.</summary>
    public TimeSpan? QueueTime { get; } = queueTime;

    /// <summary>The device's name.</summary>
    public override string ToString() => Name;
}

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
