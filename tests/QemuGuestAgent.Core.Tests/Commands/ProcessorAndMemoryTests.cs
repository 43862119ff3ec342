using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Core.Tests.Commands;

public sealed class ProcessorAndMemoryTests
{
    [Fact]
    public async Task Processors_come_by_number()
    {
        var processors = await Answers.AskAsync(ProcessorCommands.GetProcessorsAsync, "guest-get-vcpus", """
            [{"online": true, "can-offline": true, "logical-id": 11}, {"online": false, "logical-id": 2},
             {"online": "maybe", "can-offline": 1, "logical-id": 0, "socket": 5}]
            """);
        Same.As(
            new GuestProcessor[] { new(0, null, null), new(2, false, null), new(11, true, true) }, processors);
    }

    [Fact]
    public async Task The_times_of_processors_are_in_milliseconds()
    {
        var times = await Answers.AskAsync(ProcessorCommands.GetProcessorStatisticsAsync, "guest-get-cpustats", """
            [{"cpu": 1, "type": "linux", "user": 1000, "nice": 0, "system": 1000, "idle": 6000},
             {"cpu": 0, "guestnice": 70, "idle": 60000, "steal": 500, "iowait": 40000, "system": 10000, "guest": 60, "nice": 5000,
              "irq": 1500, "type": "linux", "user": 2000, "softirq": 1000}]
            """);
        Same.As(
            new GuestProcessorStatistics(
                0, "linux", Milliseconds(2000), Milliseconds(5000), Milliseconds(10000), Milliseconds(60000), Milliseconds(40000),
                Milliseconds(1500), Milliseconds(1000), Milliseconds(500), Milliseconds(60), Milliseconds(70)),
            times[0]);
        Assert.Equal(16.7, times[0].PercentBusy);

        // An old kernel counts four things.
        Assert.Equal((1L, null, null, 25.0), (times[1].LogicalId, times[1].IOWait, times[1].Steal, times[1].PercentBusy));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"cpu": 0, "type": "plan9", "user": 5}""")]
    [InlineData("""{"cpu": 0, "user": 0, "idle": 0}""")]
    [InlineData("""{"cpu": 0, "user": 18446744073709551615, "idle": -1}""")]
    public async Task Without_its_idle_time_a_processor_is_not_said_to_be_busy(string json)
    {
        var times = await Answers.AskAsync(ProcessorCommands.GetProcessorStatisticsAsync, "guest-get-cpustats", $"[{json}]");
        Assert.Null(Assert.Single(times).PercentBusy);
    }

    [Fact]
    public async Task Times_that_add_up_to_more_than_a_TimeSpan_holds_do_no_harm()
    {
        var json = """[{"user": 922337203685477, "nice": 922337203685477, "system": 922337203685477, "idle": 922337203685477}]""";
        var times = Assert.Single(await Answers.AskAsync(ProcessorCommands.GetProcessorStatisticsAsync, "guest-get-cpustats", json));
        Assert.Equal(75, times.PercentBusy);
    }

    [Fact]
    public async Task Memory_blocks_come_by_number_which_may_pass_a_long()
    {
        var blocks = await Answers.AskAsync(MemoryCommands.GetMemoryBlocksAsync, "guest-get-memory-blocks", """
            [{"online": true, "can-offline": true, "phys-index": 18446744073709551615}, {"online": false, "phys-index": 3}, {}]
            """);
        Same.As(
            new GuestMemoryBlock[] { new(null, null, null), new(3, false, null), new(ulong.MaxValue, true, true) }, blocks);
    }

    [Theory]
    [InlineData("""{"size": 134217728}""", 134217728L)]
    [InlineData("""{"size": -1}""", null)]
    [InlineData("{}", null)]
    [InlineData("134217728", null)]
    public async Task The_size_of_a_memory_block(string json, long? size) =>
        Assert.Equal(size, await Answers.AskAsync(MemoryCommands.GetMemoryBlockSizeAsync, "guest-get-memory-block-info", json));

    private static TimeSpan Milliseconds(double count) => TimeSpan.FromMilliseconds(count);
}
