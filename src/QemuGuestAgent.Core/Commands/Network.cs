using System.Text.Json;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Commands;

/// <summary>An IP address of a guest's interface.</summary>
/// <param name="Address">The address, as the guest writes it.</param>
/// <param name="Family">ipv4 or ipv6 (QEMU: GuestIpAddressType); another text where an agent knows more.</param>
/// <param name="PrefixLength">The length of the network's prefix, in bits, or null.</param>
public sealed record GuestIPAddress(string Address, string? Family, long? PrefixLength)
{
    /// <summary>Whether only the guest itself or its own link can reach it: loopback and link-local addresses.</summary>
    public bool IsLocal => System.Net.IPAddress.TryParse(Address, out var address)
        && (System.Net.IPAddress.IsLoopback(address) || address.IsIPv6LinkLocal || Address.StartsWith("169.254.", StringComparison.Ordinal));

    /// <summary>The address and its prefix, as 192.0.2.7/24.</summary>
    public override string ToString() => PrefixLength is null ? Address : $"{Address}/{PrefixLength}";
}

/// <summary>A network interface of a guest.</summary>
/// <param name="Name">The interface's name in the guest.</param>
/// <param name="HardwareAddress">The MAC address, or null.</param>
/// <param name="Addresses">Its IP addresses; none where it has none.</param>
/// <param name="Statistics">Its counters since the guest's start, or null where the agent does not tell (before QEMU 2.11).</param>
public sealed record GuestNetworkInterface(
    string Name, string? HardwareAddress, IReadOnlyList<GuestIPAddress> Addresses, GuestNetworkStatistics? Statistics);

/// <summary>The counters of an interface: bytes, packets, errors and packets dropped, each way.</summary>
public sealed record GuestNetworkStatistics(
    ulong? BytesReceived, ulong? PacketsReceived, ulong? ReceiveErrors, ulong? ReceiveDropped,
    ulong? BytesSent, ulong? PacketsSent, ulong? SendErrors, ulong? SendDropped);

/// <summary>The commands about a guest's network.</summary>
public static class Network
{
    /// <summary>Asks for the guest's network interfaces (guest-network-get-interfaces).</summary>
    /// <inheritdoc cref="GuestAgentSession.InvokeAsync{T}"/>
    public static async Task<IReadOnlyList<GuestNetworkInterface>> GetNetworkInterfacesAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var reply = await session.InvokeAsync(new GuestAgentRequest("guest-network-get-interfaces"), call, cancellationToken).ConfigureAwait(false);
        return [.. reply.Objects().Select(ParseInterface)];
    }

    internal static GuestNetworkInterface ParseInterface(JsonElement item) => new(
        item.Text("name") ?? "",
        item.Text("hardware-address"),
        [.. item.Objects("ip-addresses").Select(a => new GuestIPAddress(a.Text("ip-address") ?? "", a.Text("ip-address-type"), a.Number("prefix")))],
        item.Object("statistics") is { } s
            ? new GuestNetworkStatistics(
                s.Counter("rx-bytes"), s.Counter("rx-packets"), s.Counter("rx-errs"), s.Counter("rx-dropped"),
                s.Counter("tx-bytes"), s.Counter("tx-packets"), s.Counter("tx-errs"), s.Counter("tx-dropped"))
            : null);
}
