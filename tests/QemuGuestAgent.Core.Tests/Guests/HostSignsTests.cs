using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Guests;

/// <summary>Signs of life while somebody is slow to take what came.</summary>
public sealed class HostSignsTests
{
    [Fact]
    public async Task A_sign_that_fails_is_followed_by_the_next()
    {
        var taken = new TaskCompletionSource();
        var given = 0;
        await HostSigns.WhileAsync(
            taken.Task, TimeProvider.System, () => TimeSpan.Zero,
            (_, _) =>
            {
                if (++given == 3)
                {
                    taken.SetResult();
                }

                return Task.FromException(ErrorCatalogue.GuestFrozen.With("web1", "guest-exec", "web1"));
            },
            TestContext.Current.CancellationToken).OrHang();
        Assert.Equal(3, given);
    }

    [Fact]
    public async Task There_are_none_after_it_was_cancelled()
    {
        var taken = new TaskCompletionSource();
        using var stop = new CancellationTokenSource();
        var given = 0;
        var giving = HostSigns.WhileAsync(
            taken.Task, TimeProvider.System, () => TimeSpan.Zero,
            async (_, token) =>
            {
                given++;
                await stop.CancelAsync();
                token.ThrowIfCancellationRequested();
            },
            stop.Token);
        Assert.False(giving.IsCompleted);
        taken.SetResult();
        await giving.OrHang();
        Assert.Equal(1, given);
    }
}
