using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Guests.Processes;

namespace QemuGuestAgent.Core.Tests.Guests;

/// <summary>What is kept of processes for other PowerShells of the same user.</summary>
public sealed class ProcessRecordTests : IDisposable
{
    private readonly string _channel = $"test:{Guid.NewGuid()}";
    private readonly List<string> _told = [];

    public void Dispose()
    {
        foreach (var record in Find())
        {
            record.Remove(_told.Add);
        }
    }

    [Fact]
    public void What_was_kept_is_found_by_its_channel_oldest_first()
    {
        var first = Record(7) with { FilePath = "/bin/ä b", StartTime = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Local) };
        first.Save(_told.Add);
        Record(5).Save(_told.Add);
        (Record(7) with { Channel = _channel + "x" }).Save(_told.Add);
        Assert.Equal([7, 5], Find().Select(record => record.Pid));
        Assert.Equal(first, Find()[0]);
        (Record(7) with { Channel = _channel + "x" }).Remove(_told.Add);
        Assert.Empty(_told);
    }

    [Fact]
    public void An_end_takes_the_place_of_the_start_and_is_gone_when_it_was_fetched()
    {
        Record(7).Save(_told.Add);
        var end = new GuestExecutionStatus(true, 3, null, [0, 255], [10], true);
        (Record(7) with { End = end, Duration = TimeSpan.FromSeconds(1.5) }).Save(_told.Add);
        var found = Assert.Single(Find());
        Assert.Equal((3, true, TimeSpan.FromSeconds(1.5)), (found.End!.ExitCode!.Value, found.End.IsTruncated, found.Duration!.Value));
        Assert.Equal(new byte[] { 0, 255 }, found.End.Output);
        found.Remove(_told.Add);
        found.Remove(_told.Add);
        Assert.Empty(Find());
        Assert.Empty(_told);
    }

    [Fact]
    public void Nobody_else_can_open_them_and_what_cannot_be_read_is_not_there()
    {
        Record(7).Save(_told.Add);
        var folder = UserFolder.ForRecords(_told.Add);
        if (!OperatingSystem.IsWindows())
        {
            Assert.True(FileStatus.Of(folder) is { IsFolder: true, IsPrivate: true });
        }

        File.WriteAllText(Directory.GetFiles(folder, EndpointLock.FileName(_channel) + "*").Single(), "{ no JSON");
        Assert.Empty(Find());
        Record(7).Remove(_told.Add);
    }

    [Fact]
    public void What_is_old_goes()
    {
        Record(7).Save(_told.Add);
        var file = Directory.GetFiles(UserFolder.ForRecords(_told.Add), EndpointLock.FileName(_channel) + "*").Single();
        File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddDays(-31));
        Record(8).Save(_told.Add);
        Assert.Equal(8, Assert.Single(Find()).Pid);
    }

    private IReadOnlyList<ProcessRecord> Find() => ProcessRecord.Find(_channel, _told.Add);

    private ProcessRecord Record(long pid) => new(_channel, "web1", pid, "echo", null, null, "utf-8", null, null);
}
