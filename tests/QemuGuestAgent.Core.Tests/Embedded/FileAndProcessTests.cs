using Microsoft.Extensions.Time.Testing;
using QemuGuestAgent.EmbeddedAgent;
using static QemuGuestAgent.Core.Tests.Embedded.Texts;

namespace QemuGuestAgent.Core.Tests.Embedded;

/// <summary>Replies as the real agent writes them, with ' for ".</summary>
public sealed class FileAndProcessTests
{
    [Fact]
    public async Task A_file_is_written_and_read_back()
    {
        using var client = RawClient.ToNew();
        async Task Says(string reply, string command, string arguments) =>
            Assert.Equal(reply, await client.CallAsync(command, arguments));
        async Task Fails(string description, string command, string arguments) =>
            Assert.Equal(Error(description).Replace('"', '\''), await client.CallAsync(command, arguments));

        await Says("{'return': 1000}", "guest-file-open", "'path':'/tmp/t','mode':'w+'");
        await Says("{'return': {'count': 5, 'eof': false}}", "guest-file-write", $"'handle':1000,'buf-b64':'{Base64("hello")}'");
        await Says("{'return': {'count': 2, 'eof': false}}", "guest-file-write", "'handle':1000,'buf-b64':'YWJj','count':2");
        await Says("{'return': {'count': 0, 'eof': false}}", "guest-file-write", "'handle':1000,'buf-b64':'YWI'");
        await Fails("value '4' is invalid for argument count", "guest-file-write", "'handle':1000,'buf-b64':'YWJj','count':4");
        await Says("{'return': {}}", "guest-file-flush", "'handle':1000");
        await Says("{'return': {'eof': false, 'position': 1}}", "guest-file-seek", "'handle':1000,'offset':1,'whence':'set'");
        await Says(
            $"{{'return': {{'count': 6, 'buf-b64': '{Base64("elloab")}', 'eof': false}}}}",
            "guest-file-read",
            "'handle':1000,'count':6");
        await Says("{'return': {'count': 0, 'buf-b64': '', 'eof': true}}", "guest-file-read", "'handle':1000,'count':1");
        await Fails("value '50331649' is invalid for argument count", "guest-file-read", "'handle':1000,'count':50331649");
        await Fails("failed to seek file: Invalid argument", "guest-file-seek", "'handle':1000,'offset':-8,'whence':'end'");
        await Fails("invalid whence code 9", "guest-file-seek", "'handle':1000,'offset':0,'whence':9");
        await Says("{'return': {}}", "guest-file-close", "'handle':1000");
        await Fails("handle '1000' has not been found", "guest-file-close", "'handle':1000");
        await Says("{'return': 1001}", "guest-file-open", "'path':'/tmp/t'");
        await Fails("failed to write to file: Bad file descriptor", "guest-file-write", "'handle':1001,'buf-b64':'YWJj'");
    }

    [Theory]
    [InlineData("r+", "XYZlo")]
    [InlineData("w", "XYZ")]
    [InlineData("a", "helloXYZ")]
    public async Task A_mode_says_where_writing_starts(string mode, string content)
    {
        using var client = RawClient.ToNew();
        await client.CallAsync("guest-file-open", "'path':'/tmp/t','mode':'w'");
        await client.CallAsync("guest-file-write", $"'handle':1000,'buf-b64':'{Base64("hello")}'");
        await client.CallAsync("guest-file-open", $"'path':'/tmp/../tmp//t','mode':'{mode}'");
        await client.CallAsync("guest-file-write", $"'handle':1001,'buf-b64':'{Base64("XYZ")}'");
        await client.CallAsync("guest-file-open", "'path':'/tmp/t'");
        Assert.Equal(
            $"{{'return': {{'count': {content.Length}, 'buf-b64': '{Base64(content)}', 'eof': true}}}}",
            await client.CallAsync("guest-file-read", "'handle':1002"));
    }

    [Fact]
    public async Task On_Windows_a_short_read_is_not_the_end()
    {
        using var client = RawClient.ToNew(new() { GuestOS = EmbeddedGuestOS.Windows });
        await client.CallAsync("guest-file-open", "'path':'c:\\\\WINDOWS\\\\system32/drivers/etc/hosts'");
        Assert.EndsWith("'eof': false}}", await client.CallAsync("guest-file-read", "'handle':1000"), StringComparison.Ordinal);
        Assert.EndsWith("'eof': true}}", await client.CallAsync("guest-file-read", "'handle':1000"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_disk_refuses_a_write()
    {
        using var client = RawClient.ToNew(new() { DiskSize = 200 });
        await client.CallAsync("guest-file-open", "'path':'/tmp/t','mode':'w'");
        Assert.Contains(
            "failed to write to file: No space left on device",
            await client.CallAsync("guest-file-write", $"'handle':1000,'buf-b64':'{Base64(new string('x', 200))}'"),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'path':'true'", "0")]
    [InlineData("'path':'/bin/false','capture-output':true", "1")]
    [InlineData("'path':'sh','arg':['-c','exit 7']", "7")]
    [InlineData("'path':'echo','arg':['a','b'],'capture-output':true", "0", "a b\n")]
    [InlineData("'path':'echo','arg':['a','b']", "0")]
    [InlineData("'path':'cat','input-data':'YWJj','capture-output':'separated'", "0", "abc")]
    [InlineData("'path':'cat','arg':['/no'],'capture-output':true", "1", "", "cat: /no: No such file or directory\n")]
    [InlineData("'path':'cat','arg':['/no'],'capture-output':'merged'", "1", "cat: /no: No such file or directory\n")]
    [InlineData("'path':'/usr/bin/printenv','env':['A=1','B=2'],'arg':['B'],'capture-output':true", "0", "2\n")]
    [InlineData("'path':'sh','arg':['-c','nope'],'capture-output':true", "127", "", "sh: 1: nope: not found\n")]
    public async Task A_program_ends_and_is_reaped(string arguments, string exitCode, string output = "", string errors = "")
    {
        using var client = RawClient.ToNew();
        Assert.Equal("{'return': {'pid': 1001}}", await client.CallAsync("guest-exec", arguments));
        var errorMembers = errors.Length > 0 ? $", 'err-data': '{Base64(errors)}', 'err-truncated': false" : "";
        var outputMembers = output.Length > 0 ? $", 'out-data': '{Base64(output)}', 'out-truncated': false" : "";
        Assert.Equal(
            $"{{'return': {{'exitcode': {exitCode}{errorMembers}{outputMembers}, 'exited': true}}}}",
            await client.CallAsync("guest-exec-status", "'pid':1001"));
        Assert.Contains(
            "PID ld does not exist", await client.CallAsync("guest-exec-status", "'pid':1001"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sleeping_program_ends_in_time_or_is_killed()
    {
        var time = new FakeTimeProvider();
        using var client = RawClient.ToNew(new() { TimeProvider = time });
        await client.CallAsync("guest-exec", "'path':'sleep','arg':['1.5']");
        await client.CallAsync("guest-exec", "'path':'sleep','arg':['1.5']");
        Assert.Equal("{'return': {'exited': false}}", await client.CallAsync("guest-exec-status", "'pid':1001"));
        await client.CallAsync("guest-exec", "'path':'kill','arg':['-9','1001']");
        Assert.Equal("{'return': {'signal': 9, 'exited': true}}", await client.CallAsync("guest-exec-status", "'pid':1001"));
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("{'return': {'exitcode': 0, 'exited': true}}", await client.CallAsync("guest-exec-status", "'pid':1002"));
    }
}
