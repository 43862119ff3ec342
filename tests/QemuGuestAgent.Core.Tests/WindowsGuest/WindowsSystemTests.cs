using System.Net;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations;
using QemuGuestAgent.Core.Operations.Freezing;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.WindowsGuest;

/// <summary>What Windows' agent says of its guest, and what it cannot do.</summary>
public sealed class WindowsSystemTests(WindowsGuestFixture fixture) : WindowsGuestTest(fixture)
{
    [Fact]
    public async Task A_summary_is_made_of_it()
    {
        var summary = await Session.GetSummaryAsync("windows", cancellationToken: TestEnd);

        Assert.Equal(("Microsoft Windows 10", "10.0.18362"), (summary.OperatingSystem, summary.Kernel));
        Assert.Contains(summary.FileSystems!, fileSystem => fileSystem.MountPoint == @"C:\");
        Assert.DoesNotContain(summary.IPAddresses!, address => address.Contains('%'));
        Assert.NotNull(summary.TimeZone!.WindowsId);
        Assert.NotNull(summary.TimeZone.IanaId);
    }

    [Fact]
    public async Task A_name_outside_ASCII_does_not_break_the_reply()
    {
        const string Key = @"HKLM\Software\Microsoft\Windows NT\CurrentVersion";
        var usual = (await Session.GetOperatingSystemAsync(cancellationToken: TestEnd)).PrettyName!;
        await SetNameAsync("W\u00FCndows");

        var system = await Session.GetOperatingSystemAsync(cancellationToken: TestEnd);

        await SetNameAsync(usual);
        Assert.Equal("W\uFFFDndows", system.PrettyName);

        async Task SetNameAsync(string name)
        {
            var result = await WindowsMachine.RunAsync(Session, "reg", "add", Key, "/v", "ProductName", "/d", name, "/f");
            Assert.Equal(0, result.ExitCode);
        }
    }

    [Fact]
    public async Task Processors_cannot_be_taken_offline()
    {
        var all = await Session.GetProcessorsAsync(cancellationToken: TestEnd);

        Assert.All(all, processor => Assert.Equal((true, false), (processor.Online, processor.CanOffline)));
        await Session.SwitchProcessorsAsync([1], online: false, cancellationToken: TestEnd).FailsWith(ErrorCatalogue.CommandNotFound);
    }

    [Theory]
    [InlineData("guest-get-memory-blocks")]
    [InlineData("guest-set-memory-blocks")]
    [InlineData("guest-get-memory-block-info")]
    [InlineData("guest-set-vcpus")]
    [InlineData("guest-get-cpustats")]
    [InlineData("guest-get-diskstats")]
    [InlineData("guest-network-get-route")]
    [InlineData("guest-suspend-hybrid")]
    public async Task What_only_Linux_has_is_an_error_that_says_so(string command)
    {
        var error = await Session.InvokeAsync(new GuestAgentRequest(command), cancellationToken: TestEnd)
            .FailsWith(ErrorCatalogue.CommandNotFound);
        Assert.EndsWith("none in Windows.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_shadow_copies_it_is_neither_frozen_nor_thawed()
    {
        var failure = Assert.Single(await new FreezeScope([Session]).FreezeAsync(TestEnd));
        failure.Error.ShouldBe(ErrorCatalogue.FreezeNotSupported);
        await Session.ThawAsync(cancellationToken: TestEnd).FailsWith(ErrorCatalogue.FreezeNotSupported);
        Assert.Equal(TimeSpan.FromSeconds(10), await Session.GetFreezeLimitAsync(cancellationToken: TestEnd));
    }

    [Fact]
    public async Task No_hash_of_a_password_is_sent()
    {
        using var hash = new GuestPassword("$6$salt$hash".ToCharArray(), isHash: true);
        await Session.ChangePasswordAsync("Administrator", hash, cancellationToken: TestEnd).FailsWith(ErrorCatalogue.PasswordHashRefused);
    }

    [Fact]
    public async Task Trimming_takes_no_account_of_the_minimum() =>
        Assert.True((await Session.TrimAsync(4096, cancellationToken: TestEnd)).MinimumIgnored);

    [Theory]
    [InlineData("5", 5, "exit code 5")]
    [InlineData("-1", -1, "exit code -1")]
    [InlineData("-1073741819", -1073741819, "exit code -1073741819 (0xC0000005)")]
    [InlineData("-1073741824", -1073741824, "exit code -1073741824 (0xC0000000)")]
    [InlineData("-1073741825", -1073741825, "exit code -1073741825 (0xBFFFFFFF)")]
    public async Task An_exit_code_is_one_however_large(string code, int exitCode, string text)
    {
        var result = await WindowsMachine.RunAsync(Session, "cmd", "/c", $"exit {code}");
        Assert.Equal((exitCode, null, text), (result.ExitCode, result.Signal, result.ToString()));
    }

    [Fact]
    public async Task Addresses_of_a_link_have_their_scope()
    {
        var interfaces = await Session.GetNetworkInterfacesAsync(cancellationToken: TestEnd);
        var scoped = interfaces.SelectMany(all => all.Addresses).Where(address => address.IPAddress.Contains('%')).ToList();
        Assert.SkipWhen(scoped.Count == 0, "This machine has no such address.");
        Assert.All(scoped, address => Assert.True(address.IsLocal && IPAddress.TryParse(address.IPAddress, out _)));
    }
}
