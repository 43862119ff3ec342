using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Tests.Guests;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

/// <summary>Memory does not grow with the file.</summary>
[Collection(nameof(StreamedMemoryTests))]
public sealed class CopyMemoryTests
{
    private const int Bytes = 32 << 20;
    private const int Often = Bytes / 16;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_large_file_is_copied_in_little_memory(bool sends)
    {
        await using var agent = await ListeningAgent.StartAsync(RealAgentBinary.Installed());
        using var session = await agent.ConnectAsync();
        var (source, target) = (agent.GuestPath("source"), agent.GuestPath("target"));
        await using (var file = File.Create(source))
        {
            file.SetLength(Bytes);
        }

        var (most, next) = (0L, 0L);
        ItemCopy? copied = null;
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var options = new ItemCopyOptions
        {
            Progress = progress =>
            {
                if (progress.Bytes >= next)
                {
                    most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
                    next += Often;
                }
            },
            Copied = copy =>
            {
                copied = copy;
                return Task.CompletedTask;
            },
        };
        var end = TestContext.Current.CancellationToken;
        await (sends
            ? GuestItems.SendAsync(session, [source], target, options, null, end)
            : GuestItems.ReceiveAsync(session, [source], true, target, options, null, end));
        Assert.Equal((Bytes, CopyVerification.Sha256), (copied!.Length, copied.Verified));
        Assert.Equal(Bytes, new FileInfo(target).Length);

        // Two pieces of the largest size, and what they are on the wire.
        Assert.InRange(most, 0, 10_000_000);
    }
}
