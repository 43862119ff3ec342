using Microsoft.Extensions.Time.Testing;
using QemuGuestAgent.EmbeddedAgent;
using static QemuGuestAgent.Core.Tests.Embedded.Texts;

namespace QemuGuestAgent.Core.Tests.Embedded;

/// <summary>Commands that change the embedded agent's guest, in the real agent's words.</summary>
public sealed class ChangeCommandTests
{
    private const string Done = "{\"return\": {}}";

    [Theory]
    [InlineData("guest-set-time", "'time':-1", "Invalid time")]
    [InlineData("guest-set-time", "'time':3155760000000000000", "Invalid time")]
    [InlineData("guest-set-time", "'time':'now'", "Invalid parameter type for 'time', expected: integer")]
    [InlineData("guest-set-vcpus", "'vcpus':{}", "Invalid parameter type for 'vcpus', expected: array")]
    [InlineData("guest-set-vcpus", "'vcpus':[1]", "Invalid parameter type for 'vcpus[0]', expected: object")]
    [InlineData("guest-set-vcpus", "'vcpus':[{'logical-id':0}]", "Parameter 'vcpus[0].online' is missing")]
    [InlineData(
        "guest-set-vcpus", "'vcpus':[{'logical-id':0,'online':1}]",
        "Invalid parameter type for 'vcpus[0].online', expected: boolean")]
    [InlineData("guest-set-vcpus", "'vcpus':[{'logical-id':0,'online':true,'x':1}]", "Parameter 'vcpus[0].x' is unexpected")]
    [InlineData("guest-set-vcpus", "'vcpus':[{'logical-id':0,'online':false}]", "logical processor #0 can't be offlined")]
    [InlineData(
        "guest-set-vcpus", "'vcpus':[{'logical-id':9,'online':true}]",
        "Could not open '/sys/devices/system/cpu/cpu9/': No such file or directory")]
    [InlineData(
        "guest-set-user-password", "'username':'root','password':'YQo=','crypted':false",
        "forbidden characters in raw password")]
    [InlineData(
        "guest-set-user-password", "'username':'a:b','password':'YQ==','crypted':false",
        "forbidden characters in username")]
    [InlineData(
        "guest-set-user-password", "'username':'nobody','password':'YQ==','crypted':true",
        "child process has failed to set user password")]
    [InlineData("guest-set-user-password", "'username':'root','password':'YQ=='", "Parameter 'crypted' is missing")]
    [InlineData("guest-ssh-get-authorized-keys", "'username':'nobody'", "failed to lookup user 'nobody': Invalid user name")]
    [InlineData("guest-ssh-add-authorized-keys", "'username':'root','keys':['#x']", "invalid OpenSSH public key: '#x'")]
    [InlineData("guest-ssh-remove-authorized-keys", "'username':'root','keys':['a\\nb']", "invalid OpenSSH public key: 'a\\nb'")]
    public async Task What_cannot_be_is_refused(string command, string arguments, string description)
    {
        using var client = RawClient.ToNew();
        Assert.Equal(Error(description), await AskAsync(client, command, arguments));
    }

    [Fact]
    public async Task The_clock_is_set_and_goes_on_and_is_set_back_from_the_RTC()
    {
        var time = new FakeTimeProvider(DateTimeOffset.FromUnixTimeSeconds(1000));
        using var client = RawClient.ToNew(new() { TimeProvider = time });
        Assert.Equal(Done, await AskAsync(client, "guest-set-time", "'time':5000000000000"));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("{\"return\": 5001000000000}", await AskAsync(client, "guest-get-time"));
        Assert.Equal(Done, await AskAsync(client, "guest-set-time"));
        Assert.Equal("{\"return\": 1001000000000}", await AskAsync(client, "guest-get-time"));
    }

    [Fact]
    public async Task Processors_are_switched_up_to_the_first_that_cannot_be()
    {
        using var client = RawClient.ToNew();
        Assert.Equal(
            "{\"return\": 1}",
            await AskAsync(
                client, "guest-set-vcpus",
                "'vcpus':[{'logical-id':1,'online':false,'can-offline':true},{'logical-id':0,'online':false}]"));
        var processors = await AskAsync(client, "guest-get-vcpus");
        Assert.Contains("{\"online\": false, \"can-offline\": true, \"logical-id\": 1}", processors, StringComparison.Ordinal);
        Assert.Contains("{\"online\": true, \"can-offline\": false, \"logical-id\": 0}", processors, StringComparison.Ordinal);
        Assert.Equal("{\"return\": 0}", await AskAsync(client, "guest-set-vcpus", "'vcpus':[]"));
    }

    [Fact]
    public async Task Memory_blocks_are_switched_one_by_one()
    {
        using var client = RawClient.ToNew();
        Assert.Equal(
            "{\"return\": [{\"phys-index\": 0, \"response\": \"operation-failed\", \"error-code\": 16}, "
            + "{\"phys-index\": 3, \"response\": \"success\"}, {\"phys-index\": 99, \"response\": \"not-found\"}]}",
            await AskAsync(
                client, "guest-set-memory-blocks",
                "'mem-blks':[{'phys-index':0,'online':false},{'phys-index':3,'online':false},{'phys-index':99,'online':true}]"));
        Assert.Contains(
            "{\"online\": false, \"can-offline\": true, \"phys-index\": 3}",
            await AskAsync(client, "guest-get-memory-blocks"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_are_kept_in_the_user_s_file_the_last_comes_first_and_no_key_twice()
    {
        using var client = RawClient.ToNew();
        Task<string> Ask(string verb, string arguments) =>
            AskAsync(client, $"guest-ssh-{verb}-authorized-keys", "'username':'root'" + arguments);

        Assert.Contains("failed to read '/root/.ssh/authorized_keys'", await Ask("get", ""), StringComparison.Ordinal);
        Assert.Equal(Done, await Ask("remove", ",'keys':['k1']"));
        Assert.Equal(Done, await Ask("add", ",'keys':['k1','k2']"));
        Assert.Equal(Done, await Ask("add", ",'keys':['k2','k3'],'reset':false"));
        Assert.Equal("{\"return\": {\"keys\": [\"k3\", \"k2\", \"k1\"]}}", await Ask("get", ""));
        Assert.Equal(Done, await Ask("remove", ",'keys':['k2']"));
        Assert.Equal("{\"return\": {\"keys\": [\"k3\", \"k1\"]}}", await Ask("get", ""));
        await AskAsync(client, "guest-file-open", "'path':'/root/.ssh/authorized_keys'");
        Assert.Contains(Base64("k1\nk3"), await AskAsync(client, "guest-file-read", "'handle':1000"), StringComparison.Ordinal);
        Assert.Equal(Done, await Ask("add", ",'keys':['k4'],'reset':true"));
        Assert.Equal("{\"return\": {\"keys\": [\"k4\"]}}", await Ask("get", ""));
    }

    [Fact]
    public async Task A_user_of_Windows_has_keys_and_a_password_too()
    {
        using var client = RawClient.ToNew(new() { GuestOS = EmbeddedGuestOS.Windows });
        Task<string> Ask(string command, string arguments = "") => AskAsync(client, command, "'username':'Administrator'" + arguments);

        Assert.Equal(Done, await Ask("guest-ssh-add-authorized-keys", ",'keys':['k1']"));
        Assert.Equal("{\"return\": {\"keys\": [\"k1\"]}}", await Ask("guest-ssh-get-authorized-keys"));
        Assert.Equal(Done, await Ask("guest-set-user-password", ",'password':'YQ==','crypted':false"));
        Assert.Contains(
            "'crypted' must be off", await Ask("guest-set-user-password", ",'password':'YQ==','crypted':true"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Free_blocks_are_given_back_where_they_can_be()
    {
        using var client = RawClient.ToNew();
        Assert.Equal(
            "{\"return\": {\"paths\": [{\"minimum\": 600000000, \"path\": \"/\", \"trimmed\": 1073741676}, "
            + "{\"path\": \"/boot\", \"error\": \"failed to trim: Invalid argument\"}]}}",
            await AskAsync(client, "guest-fstrim", "'minimum':600000000"));
        Assert.Contains(
            "{\"minimum\": 0, \"path\": \"/boot\", \"trimmed\": 430964736}",
            await AskAsync(client, "guest-fstrim"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 2, "frozen")]
    [InlineData("'mountpoints':['/boot','/nowhere']", 1, "frozen")]
    [InlineData("'mountpoints':['/nowhere']", 0, "thawed")]
    [InlineData("'mountpoints':[]", 0, "thawed")]
    public async Task What_is_mounted_at_the_places_given_is_frozen(string arguments, int count, string status)
    {
        using var client = RawClient.ToNew();
        Assert.Equal($"{{\"return\": {count}}}", await AskAsync(client, "guest-fsfreeze-freeze-list", arguments));
        Assert.Equal($"{{\"return\": \"{status}\"}}", await AskAsync(client, "guest-fsfreeze-status"));
    }

    private static Task<string> AskAsync(RawClient client, string command, string arguments = "") =>
        client.AskAsync(Request(command, arguments.Replace('\'', '"')));
}
