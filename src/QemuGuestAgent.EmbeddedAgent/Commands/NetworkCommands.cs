using System.Text.Json.Nodes;

namespace QemuGuestAgent.EmbeddedAgent.Commands;

/// <summary>The commands that look at the guest's network.</summary>
internal static class NetworkCommands
{
    public static JsonNode? Interfaces(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        var isWindows = agent.Options.GuestOS == EmbeddedGuestOS.Windows;
        return new JsonArray(
            Interface(
                isWindows ? "Loopback Pseudo-Interface 1" : "lo",
                "00:00:00:00:00:00",
                Address("ipv4", "127.0.0.1", 8),
                Address("ipv6", "::1", 128)),
            Interface(
                isWindows ? "Ethernet" : "eth0",
                "52:54:00:12:34:56",
                Address("ipv4", "192.0.2.10", 24),
                Address("ipv6", "2001:db8::10", 64),
                Address("ipv6", isWindows ? "fe80::5054:ff:fe12:3456%5" : "fe80::5054:ff:fe12:3456", 64)));
    }

    public static JsonNode? Routes(AgentContext agent, CommandArguments arguments)
    {
        arguments.End();
        return new JsonArray(
            RouteV4("0.0.0.0", "0.0.0.0", "192.0.2.1", flags: 3),
            RouteV4("192.0.2.0", "255.255.255.0", "0.0.0.0", flags: 1),
            RouteV6("2001:db8::", "64", "::", flags: 1),
            RouteV6("::", "0", "2001:db8::1", flags: 3));
    }

    private static JsonObject RouteV4(string destination, string mask, string gateway, int flags) => new()
    {
        ["flags"] = flags,
        ["metric"] = 0,
        ["refcnt"] = 0,
        ["window"] = 0,
        ["version"] = 4,
        ["iface"] = "eth0",
        ["destination"] = destination,
        ["irtt"] = 0,
        ["gateway"] = gateway,
        ["use"] = 0,
        ["mtu"] = 0,
        ["mask"] = mask,
    };

    // The lengths are texts in the schema too.
    private static JsonObject RouteV6(string destination, string prefixLength, string nextHop, int flags) => new()
    {
        ["flags"] = flags,
        ["source"] = "::",
        ["metric"] = 1024,
        ["refcnt"] = 1,
        ["version"] = 6,
        ["nexthop"] = nextHop,
        ["iface"] = "eth0",
        ["destination"] = destination,
        ["desprefixlen"] = prefixLength,
        ["srcprefixlen"] = "0",
        ["use"] = 0,
    };

    private static JsonObject Interface(string name, string hardwareAddress, params JsonNode?[] addresses) => new()
    {
        ["name"] = name,
        ["ip-addresses"] = new JsonArray(addresses),
        ["statistics"] = new JsonObject
        {
            ["tx-packets"] = 512,
            ["tx-errs"] = 0,
            ["rx-bytes"] = 123456,
            ["rx-dropped"] = 0,
            ["rx-packets"] = 1024,
            ["rx-errs"] = 0,
            ["tx-bytes"] = 65536,
            ["tx-dropped"] = 0,
        },
        ["hardware-address"] = hardwareAddress,
    };

    private static JsonObject Address(string type, string address, int prefix) => new()
    {
        ["ip-address-type"] = type,
        ["ip-address"] = address,
        ["prefix"] = prefix,
    };
}
