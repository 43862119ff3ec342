using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Core.Tests.Commands;

public sealed class StorageCommandsTests
{
    private const string VirtioAddress = """
        {"bus-type": "virtio", "bus": 0, "unit": 0, "pci-controller": {"bus": 0, "slot": 2, "domain": 0, "function": 0},
         "dev": "/dev/vda", "target": 0}
        """;

    // Qemu-ga 7.2 and 10.0 on Debian; the latter tells what root alone may use.
    [Theory]
    [InlineData("", null)]
    [InlineData("\"total-bytes-privileged\": 270553174016,", 270553174016)]
    public async Task A_file_system_of_Linux(string member, long? privilegedSize)
    {
        var all = await FileSystemsAsync($$"""
            [{"name": "vda", "total-bytes": 99100643328, {{member}} "mountpoint": "/", "disk": [{{VirtioAddress}}],
              "used-bytes": 16333275136, "type": "ext4"}]
            """);
        var root = Assert.Single(all);
        Assert.Equal(("vda", "/", "ext4"), (root.Name, root.MountPoint, root.Type));
        Assert.Equal((99100643328, 16333275136, 82767368192), (root.Size, root.Used, root.Free));
        Assert.Equal(16.5, root.PercentUsed);
        Assert.Equal(privilegedSize, root.PrivilegedSize);
        Same.As(
            new GuestDiskAddress("virtio", 0, 0, 0, "0000:00:02.0", null, null, "/dev/vda"), Assert.Single(root.Disks));
    }

    [Fact]
    public async Task File_systems_of_Windows_without_PCI_addresses_and_of_an_agent_before_3_0_without_sizes()
    {
        var all = await FileSystemsAsync("""
            [{"name": "\\\\?\\Volume{8d3b1a52-0000-0000-0000-501f00000000}\\", "total-bytes": 53317988352, "mountpoint": "C:\\",
              "disk": [{"serial": "QM00013", "bus-type": "sata", "bus": 1, "unit": 0, "dev": "\\\\.\\PhysicalDrive0", "target": 2,
                        "pci-controller": {"bus": -1, "slot": -1, "domain": -1, "function": -1}}],
              "used-bytes": 53317988352, "type": "NTFS"},
             {"name": "\\\\?\\Volume{x}\\", "mountpoint": "System Reserved", "disk": [], "type": "NTFS"}]
            """);
        Assert.Equal([@"C:\", "System Reserved"], all.Select(f => f.MountPoint));
        Assert.Equal((0, 100), (all[0].Free, all[0].PercentUsed));
        var disk = Assert.Single(all[0].Disks);
        Assert.Null(disk.PciAddress);
        Assert.Equal(("sata 1:2:0", "QM00013", @"\\.\PhysicalDrive0"), (disk.ToString(), disk.Serial, disk.Device));
        Assert.Null(all[1].Size);
        Assert.Null(all[1].Used);
        Assert.Null(all[1].Free);
        Assert.Null(all[1].PercentUsed);
        Assert.Empty(all[1].Disks);
    }

    [Theory]
    [InlineData("18446744073709551615", "1", null, null, null)]
    [InlineData("-1", "1", null, null, null)]
    [InlineData("0", "0", 0L, 0L, null)]
    [InlineData("100", "250", 100L, 0L, 250.0)]
    [InlineData("9223372036854775807", "9223372036854775807", long.MaxValue, 0L, 100.0)]
    [InlineData("1e3", "500.0", 1000L, 500L, 50.0)]
    [InlineData("\"1000\"", "500", null, null, null)]
    public async Task Sizes_beyond_belief(string total, string used, long? size, long? free, double? percent)
    {
        var json = $$"""{"name": "x", "mountpoint": "/x", "type": "zfs", "total-bytes": {{total}}, "used-bytes": {{used}} }""";
        var all = Assert.Single(await FileSystemsAsync($"[{json}]"));
        Assert.Equal((size, free, percent), (all.Size, all.Free, all.PercentUsed));
    }

    [Fact]
    public async Task Disks_with_their_partitions_and_logical_volumes()
    {
        var disks = await DisksAsync($$"""
            [{"name": "/dev/vda1", "dependencies": ["/dev/vda"], "partition": true},
             {"name": "/dev/vda", "dependencies": [], "partition": false, "address": {{VirtioAddress}} },
             {"name": "/dev/dm-0", "dependencies": ["/dev/vda1", "/dev/sdb", 7, null], "partition": false, "alias": "vg0-root"},
             {"name": "\\\\.\\PhysicalDrive1", "partition": false, "address": {
                "bus-type": "usb", "bus": 0, "target": 0, "unit": 0, "serial": "0123\u0007",
                "pci-controller": {"bus": -1, "slot": -1, "domain": -1, "function": -1} } }]
            """);
        Assert.Equal([true, false, false, false], disks.Select(disk => disk.IsPartition));
        Assert.Equal(["/dev/vda"], disks[0].Dependencies);
        Assert.Null(disks[0].BusAddress);
        Assert.Equal("virtio 0000:00:02.0", disks[1].BusAddress!.ToString());
        Assert.Equal(["/dev/vda1", "/dev/sdb"], disks[2].Dependencies);
        Assert.Equal("vg0-root", disks[2].Alias);
        Assert.Equal(("usb 0:0:0", @"0123\u0007"), (disks[3].BusAddress!.ToString(), disks[3].BusAddress!.Serial));
        Assert.All(disks, disk => Assert.Null(disk.Health));
    }

    [Fact]
    public async Task An_NVMe_disk_tells_of_its_health()
    {
        var disk = Assert.Single(await DisksAsync("""
            [{"name": "/dev/nvme0n1", "dependencies": [], "partition": false,
              "address": {"bus-type": "nvme", "bus": 0, "target": 0, "unit": 0,
                          "pci-controller": {"bus": 1, "slot": 31, "domain": 65537, "function": 7}, "dev": "/dev/nvme0n1"},
              "smart": {
                "type": "nvme", "critical-warning": 4, "temperature": 323, "available-spare": 100,
                "available-spare-threshold": 10, "percentage-used": 3, "data-units-read-lo": 1000, "data-units-read-hi": 0,
                "data-units-written-lo": 2000, "data-units-written-hi": 0, "host-read-commands-lo": 3,
                "host-read-commands-hi": 0, "host-write-commands-lo": 4, "host-write-commands-hi": 0,
                "controller-busy-time-lo": 90, "controller-busy-time-hi": 0, "power-cycles-lo": 5, "power-cycles-hi": 0,
                "power-on-hours-lo": 48, "power-on-hours-hi": 0, "unsafe-shutdowns-lo": 6, "unsafe-shutdowns-hi": 0,
                "media-errors-lo": 7, "media-errors-hi": 0, "number-of-error-log-entries-lo": 8,
                "number-of-error-log-entries-hi": 0}}]
            """));
        Assert.Equal("nvme 10001:01:1f.7", disk.BusAddress!.ToString());
        var expected = new GuestDiskHealth(
            "nvme", 4, 50, 100, 10, 3, 512_000_000, 1_024_000_000, 3, 4,
            TimeSpan.FromMinutes(90), TimeSpan.FromDays(2), 5, 6, 7, 8);
        Same.As(expected, disk.Health);
    }

    [Theory]
    [InlineData(
        """{"bus-type": "virtio", "ccw-address": {"cssid": 254, "ssid": 0, "subchno": 0, "devno": 10}}""", "virtio fe.0.000a")]
    [InlineData("""{"bus-type": "s390x-novelty", "pci-controller": {}}""", "s390x-novelty")]
    [InlineData("""{"bus": 0, "target": 1, "unit": -1}""", "0:1:")]
    [InlineData("""{"pci-controller": "0000:00:01.0", "bus-type": 5, "ccw-address": []}""", "")]
    [InlineData("{}", "")]
    public async Task Addresses_of_other_kinds(string json, string text)
    {
        var disk = Assert.Single(await DisksAsync($$"""[{"name": "/dev/x", "partition": "yes", "address": {{json}}}]"""));
        Assert.Equal(text, disk.BusAddress!.ToString());
        Assert.Null(disk.IsPartition);
        Assert.Empty(disk.Dependencies);
    }

    [Fact]
    public async Task Counters_of_disks_are_in_bytes_and_times()
    {
        // As 7.2 sends them on a kernel of our day.
        var counters = Assert.Single(await StatisticsAsync("""
            [{"name": "vda", "stats": {
                "discard-sectors": 671008, "write-ios": 29803, "discard-ios": 22586, "discard-ticks": 5341,
                "weight-ticks": 402847, "read-ios": 90071, "flush-ios": 2899, "write-sectors": 6825424, "write-merges": 34672,
                "write-ticks": 29801, "ios-pgr": 1, "read-sectors": 5206058, "read-merges": 27377, "total-ticks": 54268,
                "discard-merges": 32, "flush-ticks": 446, "read-ticks": 367257}, "minor": 0, "major": 254}]
            """));
        var expected = new GuestDiskStatistics(
            "vda", 254, 0, 2665501696, 3494617088, 343556096, 90071, 29803, 22586, 2899, 27377, 34672, 32,
            Milliseconds(367257), Milliseconds(29801), Milliseconds(5341), Milliseconds(446), 1, Milliseconds(54268),
            Milliseconds(402847));
        Same.As(expected, counters);
    }

    [Fact]
    public async Task Counters_that_are_absent_or_too_large_are_null()
    {
        var counters = await StatisticsAsync("""
            [{"name": "sda1", "major": 8, "minor": 1, "stats": {
                "read-sectors": 18446744073709551615, "read-ios": 18446744073709551615, "read-ticks": 18446744073709551615,
                "write-ticks": -1, "total-ticks": 922337203685477}},
             {"name": "sdb", "stats": null}]
            """);
        Assert.Null(counters[0].BytesRead);
        Assert.Equal(ulong.MaxValue, counters[0].Reads);
        Assert.Null(counters[0].ReadTime);
        Assert.Null(counters[0].WriteTime);
        Assert.Equal(922337203685, (long)counters[0].BusyTime!.Value.TotalSeconds);
        Assert.All(
            typeof(GuestDiskStatistics).GetProperties().Where(property => property.Name != "Name"),
            property => Assert.Null(property.GetValue(counters[1])));
    }

    private static TimeSpan Milliseconds(double count) => TimeSpan.FromMilliseconds(count);

    private static Task<IReadOnlyList<GuestFileSystem>> FileSystemsAsync(string json) =>
        Answers.AskAsync(StorageCommands.GetFileSystemsAsync, "guest-get-fsinfo", json);

    private static Task<IReadOnlyList<GuestDisk>> DisksAsync(string json) =>
        Answers.AskAsync(StorageCommands.GetDisksAsync, "guest-get-disks", json);

    private static Task<IReadOnlyList<GuestDiskStatistics>> StatisticsAsync(string json) =>
        Answers.AskAsync(StorageCommands.GetDiskStatisticsAsync, "guest-get-diskstats", json);
}
