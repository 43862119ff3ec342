using System.Globalization;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;
using static QemuGuestAgent.Core.Tests.Commands.Conversation;

namespace QemuGuestAgent.Core.Tests.Commands;

/// <summary>Commands that change something: the requests as they are written, and the replies.</summary>
public sealed class ChangeTests
{
    [Theory]
    [InlineData("1970-01-01T00:00:00Z", "0")]
    [InlineData("2026-02-03T04:05:06.1234567Z", "1770091506123456700")]
    [InlineData("2026-02-03T06:05:06+02:00", "1770091506000000000")]
    [InlineData("2262-04-11T23:47:16.8547758Z", "9223372036854775800")]
    public Task The_time_is_sent_in_nanoseconds_of_UTC(string time, string nanoseconds) => SaysAsync(
        session => session.SetTimeAsync(DateTime.Parse(time, CultureInfo.InvariantCulture)),
        "guest-set-time",
        $$"""{"time": {{nanoseconds}}}""");

    [Fact]
    public Task Without_a_time_none_is_sent() => SaysAsync(session => session.SetTimeAsync(null), "guest-set-time", null);

    [Fact]
    public async Task What_Windows_says_after_it_has_set_its_clock_is_a_warning()
    {
        const string Told = "No internet connection on guest, sync not accurate";
        Assert.Equal(Told, await HoldAsync(session => session.SetTimeAsync(null), ("guest-set-time", null, "!" + Told)));
        Assert.Null(await HoldAsync(session => session.SetTimeAsync(null), ("guest-set-time", null, "{}")));
        var refused = HoldAsync(
            session => session.SetTimeAsync(null), ("guest-set-time", null, "!Windows Time service not running on the guest"));
        await refused.FailsWith(ErrorCatalogue.AgentError);
    }

    [Theory]
    [InlineData("1969-12-31T23:59:59Z")]
    [InlineData("2262-04-11T23:47:17Z")]
    [InlineData("9999-12-31T00:00:00Z")]
    public async Task A_time_that_has_no_nanoseconds_is_not_sent(string time)
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Session.SetTimeAsync(
            DateTime.Parse(time, CultureInfo.InvariantCulture), cancellationToken: TestContext.Current.CancellationToken);
        await asking.FailsWith(ErrorCatalogue.TimeOutOfRange);
        await dialogue.IsInSyncAsync();
    }

    [Theory]
    [InlineData("secret", false, "c2VjcmV0", "false")]
    [InlineData("pä漢😀", false, "cMOk5ryi8J+YgA==", "false")]
    [InlineData("a\rb\t", false, "YQ1iCQ==", "false")]
    [InlineData("$6$salt$hash", true, "JDYkc2FsdCRoYXNo", "true")]
    [InlineData("", false, "", "false")]
    public async Task A_password_is_sent_as_base64_of_its_UTF_8(string text, bool isHash, string base64, string crypted)
    {
        using var password = new GuestPassword(text.ToCharArray(), isHash);
        await SaysAsync(
            session => session.SetUserPasswordAsync("root", password),
            "guest-set-user-password",
            $$"""{"username": "root", "password": "{{base64}}", "crypted": {{crypted}}}""");
    }

    [Fact]
    public async Task A_name_or_key_that_is_no_text_is_not_sent()
    {
        using var dialogue = await Dialogue.StartAsync();
        var end = TestContext.Current.CancellationToken;
        await dialogue.Session.GetSshKeysAsync("half \uD83D", cancellationToken: end).FailsWith(ErrorCatalogue.ArgumentTextInvalid);
        await dialogue.Session.AddSshKeysAsync("root", ["ssh-ed25519 \uFFFE"], cancellationToken: end)
            .FailsWith(ErrorCatalogue.ArgumentTextInvalid);
        await dialogue.IsInSyncAsync();
    }

    [Theory]
    [InlineData("secret\n", "a line feed")]
    [InlineData("a\0b", "a NUL")]
    [InlineData("a[half]", "an unpaired surrogate")]
    public void A_password_that_the_guest_would_not_keep_as_it_is_is_refused(string text, string what)
    {
        // Half a pair would not survive as an argument of the test.
        var secret = text.Replace("[half]", "\uD83D").ToCharArray();
        var error = Assert.Throws<GuestAgentException>(() => new GuestPassword(secret, isHash: false));
        Assert.Equal(ErrorCatalogue.PasswordInvalid.Id, error.ErrorId);
        Assert.Contains(what, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public Task A_password_is_wiped_when_it_is_disposed()
    {
        var password = new GuestPassword("secret".ToCharArray(), isHash: false);
        password.Dispose();
        return SaysAsync(
            session => session.SetUserPasswordAsync("root", password),
            "guest-set-user-password",
            """{"username": "root", "password": "AAAAAAAA", "crypted": false}""");
    }

    [Fact]
    public Task Keys_are_added() => SaysAsync(
        session => session.AddSshKeysAsync("bob", ["a", "ü"]),
        "guest-ssh-add-authorized-keys", """{"username": "bob", "keys": ["a", "ü"]}""");

    [Fact]
    public Task Keys_take_the_place_of_others() => SaysAsync(
        session => session.AddSshKeysAsync("bob", ["a"], reset: true),
        "guest-ssh-add-authorized-keys", """{"username": "bob", "keys": ["a"], "reset": true}""");

    [Fact]
    public Task Keys_are_removed() => SaysAsync(
        session => session.RemoveSshKeysAsync("bob", ["a", "b"]),
        "guest-ssh-remove-authorized-keys", """{"username": "bob", "keys": ["a", "b"]}""");

    [Theory]
    [InlineData("""{"keys": ["ssh-rsa AAAAB3 x", 5, null, "odd\u001b[2J"]}""", "ssh-rsa AAAAB3 x|odd\\u001B[2J")]
    [InlineData("""{"keys": []}""", "")]
    [InlineData("{}", "")]
    public async Task Keys_are_read_as_they_come(string reply, string keys)
    {
        var found = await HoldAsync(
            session => session.GetSshKeysAsync("bob"), ("guest-ssh-get-authorized-keys", """{"username": "bob"}""", reply));
        Assert.Equal(keys, string.Join("|", found.Select(key => key.Key)));
        Assert.All(found, key => Assert.Equal("bob", key.UserName));
    }

    [Fact]
    public async Task Trimming_tells_of_each_mount_point_and_its_error()
    {
        var report = await HoldAsync(session => session.TrimFileSystemsAsync(4096), ("guest-fstrim", """{"minimum": 4096}""", """
            {"paths": [
            {"path": "/", "trimmed": 1048576, "minimum": 4096},
            {"path": "/boot", "error": "trim \u001b[1mnot supported"},
            {"path": "/srv"},
            {"path": "/new", "trimmed": 9223372036854775807, "minimum": -1, "unknown": {}}]}
            """));
        Same.As(
            new GuestTrimResult[] { new("/", 1048576, 4096), new("/srv", null, null), new("/new", long.MaxValue, null) }, report.Trimmed);
        var error = Assert.Single(report.Failures).ShouldBe(ErrorCatalogue.TrimFailed);
        Assert.Equal("/boot", error.Target);
        Assert.Contains("trim \\u001B[1mnot supported", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"paths": []}""")]
    public async Task Trimming_by_an_old_agent_tells_nothing(string reply)
    {
        var report = await HoldAsync(session => session.TrimFileSystemsAsync(null), ("guest-fstrim", null, reply));
        Assert.Empty(report.Trimmed);
        Assert.Empty(report.Failures);
    }
}
