using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Commands;

/// <summary>An IP address of a guest's interface.</summary>
public sealed class GuestIPAddress(string ipAddress, string? family, long? prefixLength)
{
    /// <summary>The address, as the guest writes it. Not Address: arrays of .NET have a member of that name, which PowerShell would find first.</summary>
    public string IPAddress { get; } = ipAddress;

    /// <summary>ipv4 or ipv6 (QEMU: GuestIpAddressType); another text where an agent knows more.</summary>
    public string? Family { get; } = family;

    /// <summary>The length of the network's prefix, in bits, or null.</summary>
    public long? PrefixLength { get; } = prefixLength;

    /// <summary>Whether only the guest itself or its own link can reach it: loopback and link-local addresses.</summary>
    public bool IsLocal => System.Net.IPAddress.TryParse(IPAddress, out var address)
        && (System.Net.IPAddress.IsLoopback(address) || address.IsIPv6LinkLocal || IPAddress.StartsWith("169.254.", StringComparison.Ordinal));

    /// <summary>The address and its prefix, as 192.0.2.7/24.</summary>
    public override string ToString() => PrefixLength is null ? IPAddress : $"{IPAddress}/{PrefixLength}";
}

/// <summary>A network interface of a guest.</summary>
public sealed class GuestNetworkInterface(
    string name, string? hardwareAddress, GuestIPAddress[] addresses, GuestNetworkStatistics? statistics)
{
    /// <summary>The interface's name in the guest.</summary>
    public string Name { get; } = name;

    /// <summary>The MAC address, or null.</summary>
    public string? HardwareAddress { get; } = hardwareAddress;

    /// <summary>Its IP addresses; none where it has none.</summary>
    public GuestIPAddress[] Addresses { get; } = addresses;

    /// <summary>Its counters since the guest's start, or null where the agent does not tell (QEMU 2.11).</summary>
    public GuestNetworkStatistics? Statistics { get; } = statistics;

    // The names that Docker, Podman, Kubernetes, libvirt, LXD, Incus and Hyper-V give their bridges.
    private static readonly Regex Bridges = new(
        @"^(docker\w*|br-[0-9a-f]{12}|nerdctl\d+|podman\d+|cni\d+|cni-podman\d+|flannel[.\d]*|cilium_\w+|kube-\w+|virbr\d+|lxcbr\d+|lxdbr\d+"
        + @"|incusbr\d+|vEthernet \((Default Switch|nat|WSL.*)\))\z",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase);

    // Whether it connects the guest with its own containers and virtual machines only.
    internal bool IsInternal => Bridges.IsMatch(Name);

    /// <summary>The interface's name.</summary>
    public override string ToString() => Name;
}

/// <summary>The counters of an interface: bytes, packets, errors and packets dropped, each way.</summary>
public sealed class GuestNetworkStatistics(
    ulong? bytesReceived, ulong? packetsReceived, ulong? receiveErrors, ulong? receiveDropped, ulong? bytesSent,
    ulong? packetsSent, ulong? sendErrors, ulong? sendDropped)
{
    /// <summary>Bytes received, or null.</summary>
    public ulong? BytesReceived { get; } = bytesReceived;

    /// <summary>Packets received, or null.</summary>
    public ulong? PacketsReceived { get; } = packetsReceived;

    /// <summary>Packets received with an error, or null.</summary>
    public ulong? ReceiveErrors { get; } = receiveErrors;

    /// <summary>Packets received and dropped, or null.</summary>
    public ulong? ReceiveDropped { get; } = receiveDropped;

    /// <summary>Bytes sent, or null.</summary>
    public ulong? BytesSent { get; } = bytesSent;

    /// <summary>Packets sent, or null.</summary>
    public ulong? PacketsSent { get; } = packetsSent;

    /// <summary>Packets not sent because of an error, or null.</summary>
    public ulong? SendErrors { get; } = sendErrors;

    /// <summary>Packets dropped instead of sent, or null.</summary>
    public ulong? SendDropped { get; } = sendDropped;

    /// <summary>The bytes, as 1024 bytes received, 512 sent.</summary>
    public override string ToString() => $"{BytesReceived?.ToString(CultureInfo.InvariantCulture) ?? "?"} bytes received, {BytesSent?.ToString(CultureInfo.InvariantCulture) ?? "?"} sent";
}

/// <summary>A route of a guest.</summary>
public sealed class GuestNetworkRoute(
    string interfaceName, string? family, string destination, long? prefixLength, string? gateway, long? metric, long? mtu,
    string? source, long? sourcePrefixLength, long? flags)
{
    /// <summary>The interface that it leads to.</summary>
    public string InterfaceName { get; } = interfaceName;

    /// <summary>ipv4 or ipv6.</summary>
    public string? Family { get; } = family;

    /// <summary>The destination's address.</summary>
    public string Destination { get; } = destination;

    /// <summary>The length of the destination's prefix, in bits, or null.</summary>
    public long? PrefixLength { get; } = prefixLength;

    /// <summary>The next hop, or null where the destination is on the link.</summary>
    public string? Gateway { get; } = gateway;

    /// <summary>The route's metric, or null.</summary>
    public long? Metric { get; } = metric;

    /// <summary>The route's own MTU, in bytes, or null.</summary>
    public long? Mtu { get; } = mtu;

    /// <summary>The address of the sources that the route is for, or null for all.</summary>
    public string? Source { get; } = source;

    /// <summary>The length of that address's prefix, in bits, or null.</summary>
    public long? SourcePrefixLength { get; } = sourcePrefixLength;

    /// <summary>The kernel's flags (Linux: RTF_…), 32 bits, or null.</summary>
    public long? Flags { get; } = flags;

    /// <summary>The destination of the route, such as 198.51.100.0/24 via 192.0.2.1.</summary>
    public override string ToString() =>
        (PrefixLength is null ? Destination : $"{Destination}/{PrefixLength}") + (Gateway is null ? "" : $" via {Gateway}");
}

/// <summary>The commands about a guest's network.</summary>
public static class NetworkCommands
{
    /// <summary>Gets the guest's network interfaces (guest-network-get-interfaces).</summary>
    /// <inheritdoc cref="GuestAgentSession.InvokeAsync{T}"/>
    public static Task<IReadOnlyList<GuestNetworkInterface>> GetNetworkInterfacesAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default) =>
        session.QueryListAsync("guest-network-get-interfaces", ParseInterface, call, cancellationToken);

    /// <summary>Gets the guest's routes (guest-network-get-route, QEMU 9.1).</summary>
    /// <inheritdoc cref="GuestAgentSession.InvokeAsync{T}"/>
    public static Task<IReadOnlyList<GuestNetworkRoute>> GetNetworkRoutesAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default) =>
        session.QueryListAsync("guest-network-get-route", ParseRoute, call, cancellationToken);

    /// <summary>The addresses that others than the guest, its containers and its link can reach.</summary>
    internal static IEnumerable<GuestIPAddress> ReachableAddresses(this IEnumerable<GuestNetworkInterface> interfaces) =>
        interfaces.Where(all => !all.IsInternal).SelectMany(all => all.Addresses).Where(address => !address.IsLocal);

    internal static GuestNetworkInterface ParseInterface(JsonElement item) => new(
        item.Text("name") ?? "",
        item.Text("hardware-address"),
        [.. item.Objects("ip-addresses").Select(ParseAddress)],
        item.Object("statistics") is { } s
            ? new GuestNetworkStatistics(
                s.Counter("rx-bytes"), s.Counter("rx-packets"), s.Counter("rx-errs"), s.Counter("rx-dropped"),
                s.Counter("tx-bytes"), s.Counter("tx-packets"), s.Counter("tx-errs"), s.Counter("tx-dropped"))
            : null);

    private static GuestIPAddress ParseAddress(JsonElement item) =>
        new(item.Text("ip-address") ?? "", item.Text("ip-address-type"), item.Size("prefix"));

    internal static GuestNetworkRoute ParseRoute(JsonElement item)
    {
        var family = item.Number("version") switch
        {
            4 => "ipv4",
            6 => "ipv6",
            var other => other?.ToString(CultureInfo.InvariantCulture),
        };
        var sourceLength = Length(item.Text("srcprefixlen"));
        return new GuestNetworkRoute(
            item.Text("iface") ?? "",
            family,
            item.Text("destination") ?? "",
            Length(item.Text("desprefixlen")) ?? Length(item.Text("mask")),
            NotAny(item.Text("gateway")) ?? NotAny(item.Text("nexthop")),
            Bits(item, "metric"),
            item.Number("mtu") is > 0 and var mtu ? mtu : null,
            sourceLength > 0 ? item.Text("source") : null,
            sourceLength > 0 ? sourceLength : null,
            Bits(item, "flags"));
    }

    // The address of no host stands for no address.
    private static string? NotAny(string? address) => address is "0.0.0.0" or "::" ? null : address;

    // The length as IPv6 routes have it (in a text), or the mask of an IPv4 route.
    private static long? Length(string? text)
    {
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var length))
        {
            return length;
        }

        if (!IPAddress.TryParse(text ?? "", out var mask))
        {
            return null;
        }

        var bits = string.Concat(mask.GetAddressBytes().Select(b => Convert.ToString(b, 2).PadLeft(8, '0')));
        return bits.TrimEnd('0') is var ones && ones.IndexOf('0') < 0 ? ones.Length : null;
    }

    // The kernel's 32 bits, which the agent widens with their sign: to -1, or to a number past the range of a long.
    private static long? Bits(JsonElement item, string member) =>
        item.Number(member) is { } number ? number & uint.MaxValue : (long?)(item.Counter(member) & uint.MaxValue);
}
