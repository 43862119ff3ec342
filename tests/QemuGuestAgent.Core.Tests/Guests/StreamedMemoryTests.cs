using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Guests;

/// <summary>What runs while no other test does: it looks at the memory of the whole process.</summary>
[CollectionDefinition(nameof(StreamedMemoryTests), DisableParallelization = true)]
[Collection(nameof(StreamedMemoryTests))]
public sealed class StreamedMemoryTests
{
    private const int Bytes = 100_000_000;
    private const int Often = Bytes / 20;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_hundred_megabytes_come_in_little_memory(bool isFurther)
    {
        var binary = isFurther ? RealAgentBinary.Further() : RealAgentBinary.Installed();
        await using var agent = await ListeningAgent.StartAsync(binary);
        using var session = await agent.ConnectAsync();
        var (bytes, most, next) = (0L, 0L, 0L);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var start = new GuestProcessStart("/bin/sh")
        {
            Arguments = ["-c", $"yes 0123456789abcdef0123456789abcde | head -c {Bytes}"],
        };
        var result = await StreamedProcess.RunAsync(session, start, lines =>
        {
            bytes += lines.Sum(line => line.Text.Length + 1);
            if (bytes >= next)
            {
                most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
                next += Often;
            }

            return Task.CompletedTask;
        }, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal((Bytes, 0), (bytes, result.ExitCode));
        Assert.InRange(most, 0, 10_000_000);
    }
}
