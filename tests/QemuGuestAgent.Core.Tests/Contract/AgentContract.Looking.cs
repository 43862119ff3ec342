using System.Text.Json;

namespace QemuGuestAgent.Core.Tests.Contract;

// What the agent says of its guest has the shape of its schema.
public abstract partial class AgentContract
{
    [Theory]
    [InlineData("guest-get-host-name", "host-name", JsonValueKind.String)]
    [InlineData("guest-get-osinfo", "id", JsonValueKind.String)]
    [InlineData("guest-get-osinfo", "kernel-release", JsonValueKind.String)]
    [InlineData("guest-get-timezone", "offset", JsonValueKind.Number)]
    [InlineData("guest-get-vcpus", "logical-id", JsonValueKind.Number)]
    [InlineData("guest-get-vcpus", "online", JsonValueKind.True)]
    [InlineData("guest-network-get-interfaces", "name", JsonValueKind.String)]
    [InlineData("guest-network-get-interfaces", "ip-addresses", JsonValueKind.Array)]
    public async Task Looking_at_the_guest_gives_what_the_schema_says(string command, string member, JsonValueKind kind)
    {
        using var session = await Peer.ConnectAsync();

        var reply = await InvokeAsync(session, command);

        var first = reply.ValueKind == JsonValueKind.Array ? reply[0] : reply;
        Assert.Equal(kind, first.GetProperty(member).ValueKind);
    }

    [Fact]
    public async Task The_guest_s_time_is_in_nanoseconds()
    {
        using var session = await Peer.ConnectAsync();

        var time = DateTimeOffset.UnixEpoch.AddTicks((await InvokeAsync(session, "guest-get-time")).GetInt64() / 100);

        // All agents here share the host's clock, or have none of their own.
        Assert.Equal(DateTimeOffset.UtcNow, time, TimeSpan.FromMinutes(10));
    }
}
