using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Operations;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Tests.Contract;

// What the agent says of its guest is read into what it means.
public abstract partial class AgentContract
{
    [Fact]
    public async Task Interfaces_are_read()
    {
        var all = await ReadAsync("guest-network-get-interfaces", NetworkCommands.GetNetworkInterfacesAsync);

        Assert.All(all, nic => Assert.NotEmpty(nic.Name));
        Assert.Contains(all.SelectMany(nic => nic.Addresses), address => address.IPAddress == "127.0.0.1" && address.IsLocal);
        Assert.Contains(all, nic => nic.Statistics?.BytesReceived is not null);
    }

    [Fact]
    public async Task Routes_are_read() =>
        Assert.All(await ReadAsync("guest-network-get-route", NetworkCommands.GetNetworkRoutesAsync), route =>
        {
            Assert.True(route.Family is "ipv4" or "ipv6");
            Assert.InRange(route.PrefixLength!.Value, 0, 128);
            Assert.InRange(route.Metric!.Value, 0, uint.MaxValue);
            Assert.InRange(route.Flags!.Value, 0, uint.MaxValue);
        });

    [Fact]
    public async Task File_systems_are_read() =>
        Assert.All(await ReadAsync("guest-get-fsinfo", StorageCommands.GetFileSystemsAsync), fileSystem =>
        {
            Assert.NotEmpty(fileSystem.MountPoint);
            Assert.InRange(fileSystem.PercentUsed!.Value, 0, 100);
            Assert.Equal(fileSystem.Size, fileSystem.Used + fileSystem.Free);
        });

    [Fact]
    public async Task Disks_are_read() =>
        Assert.All(await ReadAsync("guest-get-disks", StorageCommands.GetDisksAsync), disk =>
        {
            Assert.NotEmpty(disk.Name);
            Assert.NotNull(disk.IsPartition);
        });

    [Fact]
    public async Task Counters_of_disks_are_read() =>
        Assert.All(await ReadAsync("guest-get-diskstats", StorageCommands.GetDiskStatisticsAsync), disk =>
        {
            Assert.NotNull(disk.Major);
            Assert.NotNull(disk.BytesRead);
            Assert.NotNull(disk.BusyTime);
        });

    [Fact]
    public async Task Processors_are_read()
    {
        var all = await ReadAsync("guest-get-vcpus", ProcessorCommands.GetProcessorsAsync);

        Assert.Equal(0, all[0].LogicalId);
        Assert.All(all, processor => Assert.NotNull(processor.Online));
    }

    [Fact]
    public async Task Times_of_processors_are_read() =>
        Assert.All(await ReadAsync("guest-get-cpustats", ProcessorCommands.GetProcessorStatisticsAsync), processor =>
        {
            Assert.Equal("linux", processor.Type);
            Assert.InRange(processor.PercentBusy!.Value, 0, 100);
        });

    [Fact]
    public async Task Memory_blocks_are_read()
    {
        var all = await ReadAsync("guest-get-memory-blocks", GuestOverviews.GetSizedMemoryBlocksAsync);

        Assert.Equal(all.Select(block => block.PhysicalIndex).Order(), all.Select(block => block.PhysicalIndex));
        Assert.All(all, block => Assert.True(block.Size > 0));
    }

    [Fact]
    public async Task A_summary_is_made_of_what_the_agent_tells()
    {
        using var session = await Peer.ConnectAsync();
        var summary = await session.GetSummaryAsync("contract", cancellationToken: TestEnd);

        Assert.Equal(session.Agent!.Version, summary.AgentVersion);
        Assert.NotNull(summary.HostName);
        Assert.NotNull(summary.OperatingSystem);
        Assert.NotNull(summary.Kernel);
        Assert.NotNull(summary.IPAddresses);
        Assert.NotNull(summary.TimeZone);
        Assert.NotNull(summary.FileSystems);
        Assert.Equal(session.Agent.Commands.ContainsKey("guest-get-load"), summary.Load is not null);

        // Who is logged in is what the agents here may not tell.
        Assert.Equal("guest-get-users", AgentPeer.BlockedCommand);
        Assert.Null(summary.Users);

        // All agents here share the host's clock, or have none of their own.
        Assert.InRange(summary.TimeOffset!.Value, TimeSpan.FromMinutes(-10), TimeSpan.FromMinutes(10));
    }

    // The reply is read without the loss of an item. An agent too old for the command says so.
    private async Task<IReadOnlyList<T>> ReadAsync<T>(
        string command, Func<GuestAgentSession, CallOptions?, CancellationToken, Task<IReadOnlyList<T>>> ask)
    {
        using var session = await Peer.ConnectAsync();
        if (!session.Agent!.Commands.ContainsKey(command))
        {
            await AssertFailsAsync("CommandNotFound", () => ask(session, null, TestEnd));
            return [];
        }

        var all = await ask(session, null, TestEnd);
        Assert.Equal((await InvokeAsync(session, command)).GetArrayLength(), all.Count);
        Assert.SkipWhen(all.Count == 0, $"This machine has nothing that {command} would list.");
        return all;
    }
}
