using System.Text.Json;
using System.Text.Json.Nodes;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Commands;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Operations;

public sealed class GuestSummaryTests
{
    private static readonly string[] Parts =
    [
        "guest-get-osinfo", "guest-get-host-name", "guest-network-get-interfaces", "guest-get-load", "guest-get-users",
        "guest-get-time", "guest-get-timezone", "guest-get-fsinfo",
    ];

    private static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_summary_has_it_all()
    {
        using var session = await Answers.ConnectAsync(new EmbeddedGuestAgentOptions { HostName = "web1" });
        var summary = await session.GetSummaryAsync("vm1", cancellationToken: TestEnd);
        Assert.Equal(
            ("vm1", "web1", "Debian GNU/Linux 13 (trixie)", "6.12.48+deb13-amd64", "x86_64", "11.1.0"),
            (summary.Name, summary.HostName, summary.OperatingSystem, summary.Kernel, summary.Architecture,
                summary.AgentVersion));
        Assert.Equal(["192.0.2.10", "2001:db8::10"], summary.IPAddresses!);
        Assert.Equal("0.25, 0.13, 0.05", summary.Load!.ToString());
        Assert.Equal(["root"], summary.Users!.Select(user => user.UserName));
        Assert.Equal("UTC (+00:00)", summary.TimeZone!.ToString());
        Assert.InRange(summary.TimeOffset!.Value, TimeSpan.FromMinutes(-1), TimeSpan.FromMinutes(1));
        Assert.Equal(["/ 0%", "/boot 17.6%"], summary.FileSystems!.Select(fileSystem => fileSystem.ToString()));
        Assert.Equal(17.6, summary.PercentUsed);
    }

    [Theory]
    [InlineData("erofs")]
    [InlineData("squashfs")]
    [InlineData("cramfs")]
    [InlineData("iso9660")]
    [InlineData("udf")]
    [InlineData("UDF")]
    [InlineData("CDFS")]
    public async Task An_image_is_always_full_and_does_not_count(string type)
    {
        var summary = await Answers.AskAsync(Summary, "guest-get-fsinfo", $$"""
            [{"name":"sda5","mountpoint":"/","type":"{{type}}","total-bytes":229113856,"used-bytes":229113856,"disk":[]},
            {"name":"sda8","mountpoint":"/mnt/data","type":"ext4","total-bytes":31675576320,"used-bytes":10837524480,"disk":[]}]
            """);
        Assert.Equal(34.2, summary.PercentUsed);
        Assert.Equal(["/ 100%", "/mnt/data 34.2%"], summary.FileSystems!.Select(fileSystem => fileSystem.ToString()));
    }

    [Theory]
    [InlineData("docker0", false)]
    [InlineData("docker_gwbridge", false)]
    [InlineData("br-0123456789ab", false)]
    [InlineData("virbr0", false)]
    [InlineData("cni0", false)]
    [InlineData("cni-podman0", false)]
    [InlineData("lxdbr0", false)]
    [InlineData("flannel.1", false)]
    [InlineData("vEthernet (Default Switch)", false)]
    [InlineData("vEthernet (WSL (Hyper-V firewall))", false)]
    [InlineData("br0", true)]
    [InlineData("br-lan", true)]
    [InlineData("eth0", true)]
    [InlineData("vEthernet (External)", true)]
    [InlineData("Ethernet 2", true)]
    public async Task The_guests_own_bridges_are_no_way_to_it(string name, bool isWay)
    {
        var summary = await Answers.AskAsync(Summary, "guest-network-get-interfaces", $$"""
            [{"name":"{{name}}","ip-addresses":[{"ip-address-type":"ipv4","ip-address":"172.17.0.1","prefix":16}]}]
            """);
        Assert.Equal(isWay ? ["172.17.0.1"] : [], summary.IPAddresses!);
    }

    [Fact]
    public async Task What_the_agent_refuses_is_empty()
    {
        using var session = await Answers.ConnectAsync(new EmbeddedGuestAgentOptions { BlockedCommands = Parts });
        var summary = await session.GetSummaryAsync("vm1", cancellationToken: TestEnd);
        Same.As(new GuestSummary("vm1", null, null, null, null, "11.1.0", null, null, null, null, null, null), summary);
        Assert.Null(summary.PercentUsed);
        Assert.Equal(GuestAgentSessionState.Ready, session.State);
    }

    [Fact]
    public async Task A_frozen_guest_tells_nothing_and_that_is_no_error()
    {
        using var session = await Answers.ConnectAsync(new EmbeddedGuestAgentOptions());
        await session.Ask("guest-fsfreeze-freeze");
        var summary = await session.GetSummaryAsync("vm1", cancellationToken: TestEnd);
        Same.As(new GuestSummary("vm1", null, null, null, null, "11.1.0", null, null, null, null, null, null), summary);
    }

    [Fact]
    public async Task Each_part_may_fail_by_itself()
    {
        foreach (var part in Parts)
        {
            var commands = new Dictionary<string, Func<JsonElement, JsonNode?>>
            {
                [part] = _ => throw new EmbeddedCommandException("not today"),
            };
            using var session = await Answers.ConnectAsync(new EmbeddedGuestAgentOptions { Commands = commands });
            var summary = await session.GetSummaryAsync("vm1", cancellationToken: TestEnd);
            object?[] parts =
            [
                summary.OperatingSystem, summary.HostName, summary.IPAddresses, summary.Load, summary.Users, summary.TimeOffset,
                summary.TimeZone, summary.FileSystems,
            ];
            Assert.Equal([part], Parts.Where((_, i) => parts[i] is null));
        }
    }

    [Fact]
    public async Task A_part_that_cannot_be_read_is_empty_too()
    {
        using var session = await Answers.ConnectAsync("guest-get-time", "\"noon\"");
        var summary = await session.GetSummaryAsync("vm1", cancellationToken: TestEnd);
        Assert.Null(summary.TimeOffset);
        Assert.NotNull(summary.FileSystems);
    }

    [Fact]
    public async Task A_channel_that_dies_is_an_error()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Session.GetSummaryAsync("vm1", cancellationToken: TestEnd);
        await dialogue.Peer.AnswerAsync("guest-get-osinfo", "{}");
        dialogue.Peer.Close();
        await asking.FailsWith(ErrorCatalogue.ConnectionLost);
    }

    [Fact]
    public async Task All_parts_share_the_time_given()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Session.GetSummaryAsync("vm1", new CallOptions { Timeout = TimeSpan.FromSeconds(10) }, TestEnd);
        foreach (var (command, answer) in new[] { ("guest-get-osinfo", "{}"), ("guest-get-host-name", "{}") })
        {
            var request = await dialogue.Peer.ReadAsync();
            Assert.Equal(command, request.Command);
            dialogue.Time.Advance(TimeSpan.FromSeconds(4));
            dialogue.Peer.Write(AgentScript.Return(request, answer));
        }

        Assert.Equal("guest-network-get-interfaces", (await dialogue.Peer.ReadAsync()).Command);
        dialogue.Time.Advance(TimeSpan.FromSeconds(2));
        await asking.FailsWith(ErrorCatalogue.CommandTimedOut);
    }

    [Fact]
    public async Task Without_a_limit_no_part_has_one()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Session.GetZonedTimeAsync(new CallOptions { Timeout = TimeSpan.Zero }, TestEnd);
        var time = await dialogue.Peer.ReadAsync();
        dialogue.Time.Advance(TimeSpan.FromDays(1));
        dialogue.Peer.Write(AgentScript.Return(time, "0"));
        var zone = await dialogue.Peer.ReadAsync();
        dialogue.Time.Advance(TimeSpan.FromDays(1));
        dialogue.Peer.Write(AgentScript.Return(zone, """{"zone": "UTC", "offset": 0}"""));
        Assert.Equal("UTC (+00:00)", (await asking.OrHang()).TimeZone!.ToString());
    }

    [Theory]
    [InlineData(false, 134217728L)]
    [InlineData(true, null)]
    public async Task Memory_blocks_have_their_size_where_the_agent_tells_it(bool isRefused, long? size)
    {
        using var session = await Answers.ConnectAsync(
            new EmbeddedGuestAgentOptions { BlockedCommands = isRefused ? ["guest-get-memory-block-info"] : [] });
        var blocks = await session.GetSizedMemoryBlocksAsync(cancellationToken: TestEnd);
        Assert.Equal(8, blocks.Count);
        Assert.All(blocks, block => Assert.Equal(size, block.Size));
    }

    [Fact]
    public async Task Memory_blocks_that_are_refused_are_an_error()
    {
        var options = new EmbeddedGuestAgentOptions { BlockedCommands = ["guest-get-memory-blocks"] };
        using var session = await Answers.ConnectAsync(options);
        await session.GetSizedMemoryBlocksAsync(cancellationToken: TestEnd).FailsWith(ErrorCatalogue.CommandDisabled);
    }

    private static Task<GuestSummary> Summary(GuestAgentSession session, CallOptions? call, CancellationToken cancellationToken) =>
        session.GetSummaryAsync("vm1", call, cancellationToken);
}
