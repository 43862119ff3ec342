using Microsoft.Extensions.Time.Testing;
using QemuGuestAgent.Core.Tests.Session;
using QemuGuestAgent.EmbeddedAgent;
using static QemuGuestAgent.Core.Tests.Embedded.Texts;

namespace QemuGuestAgent.Core.Tests.Embedded;

/// <summary>Replies as the real agent writes them, with ' for ".</summary>
public sealed class CommandTests
{
    [Fact]
    public async Task Guest_info_tells_version_and_commands()
    {
        using var client = RawClient.ToNew(
            new() { BlockedCommands = ["guest-exec"], Version = "9.9", KnowsDelimitedSync = false });
        var info = await client.CallAsync("guest-info");
        Assert.StartsWith(
            "{'return': {'version': '9.9', 'supported_commands': [{'enabled': true, 'name': ", info, StringComparison.Ordinal);
        Assert.Contains("{'enabled': false, 'name': 'guest-exec', 'success-response': true}", info, StringComparison.Ordinal);
        Assert.Contains("{'enabled': true, 'name': 'guest-shutdown', 'success-response': false}", info, StringComparison.Ordinal);
        Assert.DoesNotContain("guest-sync-delimited", info, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commands_blocked_or_absent_are_not_found()
    {
        using var client = RawClient.ToNew(new() { BlockedCommands = ["guest-exec"], KnowsDelimitedSync = false });
        Assert.Equal(
            Error("CommandNotFound", "Command guest-exec has been disabled: the command is not allowed"),
            await client.AskAsync(Request("guest-exec")));
        Assert.Equal(
            Error("CommandNotFound", "The command guest-sync-delimited has not been found"),
            await client.AskAsync(Request("guest-sync-delimited", "\"id\":1")));
    }

    [Theory]
    [InlineData("guest-file-open", "", "Parameter 'path' is missing")]
    [InlineData("guest-file-open", "'path':1", "Invalid parameter type for 'path', expected: string")]
    [InlineData("guest-file-open", "'path':'/a','z':0", "Parameter 'z' is unexpected")]
    [InlineData("guest-file-open", "'path':'/nope'", "failed to open file '/nope' (mode: 'r'): No such file or directory")]
    [InlineData(
        "guest-file-open", "'path':'/n/x','mode':'w'", "failed to open file '/n/x' (mode: 'w'): No such file or directory")]
    [InlineData(
        "guest-file-open", "'path':'/etc/hostname/x'", "failed to open file '/etc/hostname/x' (mode: 'r'): Not a directory")]
    [InlineData("guest-file-open", "'path':'/etc','mode':'w'", "failed to open file '/etc' (mode: 'w'): Is a directory")]
    [InlineData("guest-file-open", "'path':'/a','mode':'rw'", "invalid file open mode 'rw'")]
    [InlineData("guest-file-close", "'handle':77", "handle '77' has not been found")]
    [InlineData("guest-file-write", "'handle':77,'buf-b64':'!!'", "handle '77' has not been found")]
    [InlineData("guest-file-seek", "'handle':77,'offset':0,'whence':'foo'", "Parameter 'whence' does not accept value 'foo'")]
    [InlineData(
        "guest-file-seek", "'handle':1,'offset':0,'whence':[]", "Invalid parameter type for 'whence', expected: GuestFileWhence")]
    [InlineData("guest-exec", "'path':'nope'", "Failed to execute child process \\u201Cnope\\u201D (No such file or directory)")]
    [InlineData("guest-exec", "'path':'/etc'", "Failed to execute child process \\u201C/etc\\u201D (Permission denied)")]
    [InlineData("guest-exec", "'path':'true','arg':'x'", "Invalid parameter type for 'arg', expected: array")]
    [InlineData("guest-exec", "'path':'true','arg':['a',1]", "Invalid parameter type for 'arg[1]', expected: string")]
    [InlineData("guest-exec", "'path':'true','input-data':'!!!!'", "Base64 data contains invalid characters")]
    [InlineData(
        "guest-exec",
        "'path':'a','capture-output':1",
        "Invalid parameter type for 'capture-output', expected: GuestExecCaptureOutput")]
    [InlineData("guest-exec", "'path':'a','capture-output':'foo'", "Parameter 'capture-output' does not accept value 'foo'")]
    [InlineData("guest-exec-status", "'pid':1", "PID ld does not exist")]
    [InlineData("guest-shutdown", "'mode':'nap'", "mode is invalid (valid values are: halt|powerdown|reboot")]
    public async Task Arguments_are_refused_in_the_real_agents_words(string command, string arguments, string description)
    {
        using var client = RawClient.ToNew();
        Assert.Equal(Error(description).Replace('"', '\''), await client.CallAsync(command, arguments));
    }

    [Fact]
    public async Task A_frozen_guest_answers_six_commands_only_even_after_a_restart_of_the_agent()
    {
        var agent = new EmbeddedGuestAgent();
        using var client = RawClient.To(agent);
        Assert.Equal("{'return': 2}", await client.CallAsync("guest-fsfreeze-freeze"));
        agent.Kill();
        agent.Start();
        Assert.True(agent.IsFrozen);
        Assert.Equal("{'return': 'frozen'}", await client.CallAsync("guest-fsfreeze-status"));
        Assert.Equal("{'return': {}}", await client.CallAsync("guest-ping"));
        Assert.Equal("{'return': 1}", await client.CallAsync("guest-sync", "'id':1"));
        Assert.Equal("\u00FF{'return': 1}", await client.CallAsync("guest-sync-delimited", "'id':1"));
        Assert.Equal(
            Error("CommandNotFound", "Command guest-get-time has been disabled: the command is not allowed"),
            await client.AskAsync(Request("guest-get-time")));
        Assert.Contains(
            "{'enabled': false, 'name': 'guest-exec'", await client.CallAsync("guest-info"), StringComparison.Ordinal);
        Assert.Equal("{'return': 2}", await client.CallAsync("guest-fsfreeze-thaw"));
        Assert.Equal("{'return': 0}", await client.CallAsync("guest-fsfreeze-thaw"));
        Assert.False(agent.IsFrozen);
    }

    [Fact]
    public async Task A_halt_is_not_answered_and_the_guest_stays_down()
    {
        var agent = new EmbeddedGuestAgent();
        using var client = RawClient.To(agent);
        await client.SendAsync(Request("guest-shutdown", "\"mode\":\"halt\""));
        Assert.True(SpinWait.SpinUntil(() => !agent.IsRunning, TimeSpan.FromSeconds(20)));
        await client.SendAsync(Ping);
        agent.Start();
        Assert.Equal(Pong, await client.LineAsync());
    }

    [Theory]
    [InlineData("guest-shutdown")]
    [InlineData("guest-suspend-disk")]
    public async Task A_guest_that_is_off_has_no_channel_until_it_is_started(string command)
    {
        var agent = new EmbeddedGuestAgent();
        using (var client = RawClient.To(agent))
        {
            await client.SendAsync(Request(command));
            await Assert.ThrowsAsync<EndOfStreamException>(client.LineAsync);
            Assert.False(agent.IsRunning);
        }

        agent.Start();
        using var next = RawClient.To(agent);
        Assert.Equal(Pong, await next.AskAsync(Ping));
    }

    [Fact]
    public async Task A_suspend_is_not_answered_and_the_guest_goes_on()
    {
        var agent = new EmbeddedGuestAgent(new() { BootDelay = TimeSpan.FromMilliseconds(20) });
        using var client = RawClient.To(agent);
        await client.SendAsync(Request("guest-suspend-ram"));
        Assert.True(SpinWait.SpinUntil(() => agent.Requests.Count > 0, TimeSpan.FromSeconds(20)));
        Assert.Equal(Stray + "\n", await client.SkipToSyncAsync(1));
    }

    [Fact]
    public async Task A_reboot_comes_after_what_was_sent_with_it_and_the_guest_comes_back()
    {
        var time = new WatchedTime();
        var agent = new EmbeddedGuestAgent(new() { BootDelay = TimeSpan.FromSeconds(20), TimeProvider = time });
        using var client = RawClient.To(agent);
        await client.SendAsync(Request("guest-shutdown", "\"mode\":\"reboot\"") + Ping);
        Assert.Equal(Pong, await client.LineAsync());
        await time.PassAsync(TimeSpan.FromSeconds(20));
        for (var id = 1; !agent.Requests.Contains("guest-sync-delimited"); id++)
        {
            // Until the guest is up this is lost.
            await client.SendAsync(Request("guest-sync-delimited", $"\"id\":{id}"));
        }

        Assert.Contains("return", await client.LineAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("guest-get-time", "946684800000000000")]
    [InlineData("guest-get-host-name", "{'host-name': 'embedded'}")]
    [InlineData("guest-get-timezone", "{'zone': 'UTC', 'offset': 0}")]
    [InlineData("guest-get-users", "[{'login-time': 1767225600.25, 'user': 'root'}]")]
    [InlineData("guest-get-load", "{'load15m': 0.050000000000000003, 'load5m': 0.125, 'load1m': 0.25}")]
    public async Task The_guest_can_be_looked_at(string command, string value)
    {
        var time = new FakeTimeProvider(DateTimeOffset.FromUnixTimeSeconds(946684800));
        using var client = RawClient.ToNew(new() { TimeProvider = time });
        Assert.Equal($"{{'return': {value}}}", await client.CallAsync(command));
    }

    [Theory]
    [InlineData("guest-get-osinfo", "'id': 'debian'")]
    [InlineData("guest-get-fsinfo", "'mountpoint': '/'")]
    [InlineData("guest-get-vcpus", "{'online': true, 'can-offline': false, 'logical-id': 0}")]
    [InlineData("guest-network-get-interfaces", "{'ip-address-type': 'ipv4', 'ip-address': '192.0.2.10', 'prefix': 24}")]
    public async Task The_guest_has_a_system_disks_processors_and_a_network(string command, string part)
    {
        using var client = RawClient.ToNew();
        Assert.Contains(part, await client.CallAsync(command), StringComparison.Ordinal);
    }
}
