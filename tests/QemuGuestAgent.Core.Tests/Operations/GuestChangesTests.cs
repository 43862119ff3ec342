using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Operations;

/// <summary>What a guest's system does not do is refused, or told, whatever its agent says.</summary>
public sealed class GuestChangesTests
{
    private static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Windows_takes_no_hash_and_none_is_sent()
    {
        using var guest = await FrozenGuest.StartAsync(new() { GuestOS = EmbeddedGuestOS.Windows });
        using var hash = new GuestPassword("$6$salt$hash".ToCharArray(), isHash: true);
        var error = await guest.Session.ChangePasswordAsync("Administrator", hash, cancellationToken: TestEnd)
            .FailsWith(ErrorCatalogue.PasswordHashRefused);
        Assert.Equal("Administrator", error.Target);
        Assert.DoesNotContain("guest-set-user-password", guest.Agent.Requests);
    }

    [Theory]
    [InlineData("Administrator", true)]
    [InlineData(@".\Administrator", true)]
    [InlineData(@"CORP\Administrator", false)]
    [InlineData("Administrator@corp.example", false)]
    public async Task Windows_sets_passwords_of_local_accounts(string userName, bool isLocal)
    {
        using var guest = await FrozenGuest.StartAsync(new() { GuestOS = EmbeddedGuestOS.Windows });
        using var password = new GuestPassword("secret".ToCharArray(), isHash: false);
        var changing = guest.Session.ChangePasswordAsync(userName, password, cancellationToken: TestEnd);
        await (isLocal ? changing : changing.FailsWith(ErrorCatalogue.AccountNotLocal));
        Assert.Equal(isLocal, guest.Agent.Requests.Contains("guest-set-user-password"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Other_systems_take_both_and_any_name(bool isHash)
    {
        using var guest = await FrozenGuest.StartAsync();
        using var password = new GuestPassword("secret".ToCharArray(), isHash);
        await guest.Session.ChangePasswordAsync("root", password, cancellationToken: TestEnd);
        await guest.Session.ChangePasswordAsync("a@b", password, cancellationToken: TestEnd).FailsWith(ErrorCatalogue.AgentError);
    }

    [Theory]
    [InlineData(EmbeddedGuestOS.Linux, 4096, false)]
    [InlineData(EmbeddedGuestOS.Windows, 4096, true)]
    [InlineData(EmbeddedGuestOS.Windows, null, false)]
    public async Task A_minimum_that_does_not_count_is_told(EmbeddedGuestOS system, int? minimum, bool isIgnored)
    {
        using var guest = await FrozenGuest.StartAsync(new() { GuestOS = system });
        var report = await guest.Session.TrimAsync(minimum, cancellationToken: TestEnd);
        Assert.Equal(isIgnored, report.MinimumIgnored);
        Assert.NotEmpty(report.Trimmed);
        Assert.All(report.Trimmed, trimmed => Assert.Equal(system == EmbeddedGuestOS.Windows, trimmed.Trimmed is null));
    }
}
