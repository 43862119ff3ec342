using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Core.Tests.Commands;

public sealed class NetworkCommandsTests
{
    [Fact]
    public async Task Interfaces_with_all_there_is()
    {
        var nic = Assert.Single(await InterfacesAsync("""
            [{"name": "eth0", "hardware-address": "52:54:00:12:34:56",
              "ip-addresses": [
                {"ip-address-type": "ipv4", "ip-address": "192.0.2.2", "prefix": 24},
                {"ip-address-type": "ipv6", "ip-address": "fe80::fc:ff:fe00:1", "prefix": 64}],
              "statistics": {"tx-packets": 1, "tx-errs": 2, "rx-bytes": 18446744073709551615, "rx-dropped": 3,
                             "rx-packets": 4, "rx-errs": 5, "tx-bytes": 6, "tx-dropped": 7}}]
            """));
        Assert.Equal("eth0", nic.Name);
        Assert.Equal("52:54:00:12:34:56", nic.HardwareAddress);
        Assert.Equal(["192.0.2.2/24", "fe80::fc:ff:fe00:1/64"], nic.Addresses.Select(address => address.ToString()));
        Assert.Equal([false, true], nic.Addresses.Select(address => address.IsLocal));
        Same.As(new GuestNetworkStatistics(ulong.MaxValue, 4, 5, 3, 6, 1, 2, 7), nic.Statistics);
    }

    // What agents leave out: addresses, the MAC (tunnels), counters (before 2.11). Aliases come as names of their own.
    [Theory]
    [InlineData("""[{"name": "ifb0", "hardware-address": "ca:38:0b:47:2e:d6"}]""", "ifb0", "ca:38:0b:47:2e:d6", 0)]
    [InlineData(
        """[{"name": "tun0", "ip-addresses": [{"ip-address-type": "ipv4", "ip-address": "10.8.0.2", "prefix": 32}]}]""",
        "tun0", null, 1)]
    [InlineData("""[{"name": "eth0:1", "ip-addresses": [], "hardware-address": null}]""", "eth0:1", null, 0)]
    [InlineData(
        """[{"name": "Loopback Pseudo-Interface 1", "ip-addresses": [{"ip-address": "::1"}]}]""",
        "Loopback Pseudo-Interface 1", null, 1)]
    [InlineData(
        """[{"name": "Ethernet \u00e4", "hardware-address": "52-54-00-12-34-56", "new-member": {"a": []}}]""",
        "Ethernet ä", "52-54-00-12-34-56", 0)]
    public async Task Interfaces_with_less(string json, string name, string? hardwareAddress, int addresses)
    {
        var nic = Assert.Single(await InterfacesAsync(json));
        Assert.Equal(name, nic.Name);
        Assert.Equal(hardwareAddress, nic.HardwareAddress);
        Assert.Equal(addresses, nic.Addresses.Length);
        Assert.Null(nic.Statistics);
    }

    [Fact]
    public async Task A_family_that_is_new_to_us_stays_as_it_is()
    {
        var json = """[{"name": "x", "ip-addresses": [{"ip-address-type": "ipv8", "ip-address": "1.2.3", "prefix": -1}]}]""";
        var nic = Assert.Single(await InterfacesAsync(json));
        Same.As(new GuestIPAddress("1.2.3", "ipv8", null), Assert.Single(nic.Addresses));
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.9.9.9", true)]
    [InlineData("::1", true)]
    [InlineData("fe80::1", true)]
    [InlineData("fe80::1%3", true)]
    [InlineData("169.254.10.20", true)]
    [InlineData("192.0.2.1", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("no address", false)]
    public void What_only_the_guest_or_its_link_can_reach_is_local(string address, bool isLocal) =>
        Assert.Equal(isLocal, new GuestIPAddress(address, null, null).IsLocal);

    // As the 10.0 agent sends them: lengths as texts, flags widened with their sign, a metric of all bits as -1.
    [Theory]
    [InlineData(
        """
            {"flags": 3, "metric": 0, "refcnt": 0, "window": 0, "version": 4, "iface": "eth0",
             "destination": "0.0.0.0", "irtt": 0, "gateway": "192.0.2.1", "use": 0, "mtu": 0, "mask": "0.0.0.0"}
            """,
        "eth0 ipv4 0.0.0.0/0 via 192.0.2.1", 0L, 3L)]
    [InlineData(
        """
            {"flags": 1, "metric": 100, "version": 4, "iface": "eth0", "destination": "192.0.2.0",
             "gateway": "0.0.0.0", "mtu": 1400, "mask": "255.255.255.0"}
            """,
        "eth0 ipv4 192.0.2.0/24 mtu 1400", 100L, 1L)]
    [InlineData(
        """
            {"flags": 1, "source": "::", "metric": 256, "refcnt": 1, "version": 6, "nexthop": "::", "iface": "eth0",
             "destination": "fd00::", "desprefixlen": "64", "srcprefixlen": "0", "use": 0}
            """,
        "eth0 ipv6 fd00::/64", 256L, 1L)]
    [InlineData(
        """
            {"flags": 18446744071564165121, "source": "2001:db8::", "metric": -1, "version": 6, "nexthop": "fd00::1",
             "iface": "lo", "destination": "::1", "desprefixlen": "128", "srcprefixlen": "32"}
            """,
        "lo ipv6 ::1/128 via fd00::1 from 2001:db8::/32", 4294967295L, 0x80200001L)]
    [InlineData(
        """{"version": 7, "iface": "x", "destination": "d", "mask": "255.0.255.0", "gateway": null}""", "x 7 d", null, null)]
    [InlineData("""{"mask": "nonsense", "desprefixlen": "-1", "version": "4"}""", "  ", null, null)]
    public async Task Routes(string json, string expected, long? metric, long? flags)
    {
        var route = Assert.Single(await Answers.AskAsync(NetworkCommands.GetNetworkRoutesAsync, "guest-network-get-route", $"[{json}]"));
        var text = $"{route.InterfaceName} {route.Family} {route}"
            + (route.Mtu is null ? "" : $" mtu {route.Mtu}")
            + (route.Source is null ? "" : $" from {route.Source}/{route.SourcePrefixLength}");
        Assert.Equal(expected, text);
        Assert.Equal(metric, route.Metric);
        Assert.Equal(flags, route.Flags);
    }

    private static Task<IReadOnlyList<GuestNetworkInterface>> InterfacesAsync(string json) =>
        Answers.AskAsync(NetworkCommands.GetNetworkInterfacesAsync, "guest-network-get-interfaces", json);
}
