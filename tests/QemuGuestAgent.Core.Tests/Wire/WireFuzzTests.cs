using QemuGuestAgent.Core.Wire;
using QemuGuestAgent.Fuzz;

namespace QemuGuestAgent.Core.Tests.Wire;

/// <summary>
/// Random bytes, and mutations of true conversations, cut at random: nothing throws, nothing hangs, every bound is kept.
/// </summary>
public sealed class WireFuzzTests
{
    // In four parts, which run side by side.
    [Theory]
    [InlineData(1_000_000)]
    [InlineData(2_000_000)]
    [InlineData(3_000_000)]
    [InlineData(4_000_000)]
    public void A_hundred_thousand_streams_do_no_harm(int firstSeed)
    {
        var kinds = new int[Enum.GetValues<ReplyKind>().Length];
        for (var seed = firstSeed; seed < firstSeed + 25_000; seed++)
        {
            try
            {
                var random = new Random(seed);
                var header = new byte[] { (byte)random.Next(2), (byte)random.Next(80), (byte)random.Next(20), (byte)random.Next(256) };
                WireTarget.Run([.. header, .. FuzzBytes.Next(random)], kind => kinds[(int)kind]++);
            }
            catch (Exception e)
            {
                Assert.Fail($"Seed {seed}: {e}");
            }
        }

        // The streams reach everything that a line can be.
        Assert.All(kinds, count => Assert.True(count > 10, string.Join(' ', kinds)));
    }
}
