namespace QemuGuestAgent.Core.Endpoints.Finding;

/// <summary>Proxmox has a socket for each of its virtual machines, named by its number; the name is in its configuration.</summary>
internal static class ProxmoxChannels
{
    private const string Sockets = "/var/run/qemu-server";
    private const string Extension = ".qga";
    private const string Configurations = "/etc/pve/qemu-server";
    private const string NameOption = "name:";

    public static IEnumerable<FoundChannel> Find(Host host, Owners owners) => host.List(Sockets)
        .Where(name => name.EndsWith(Extension, StringComparison.Ordinal))
        .Select(name => name.Substring(0, name.Length - Extension.Length))
        .OrderBy(number => number.Length).ThenBy(number => number, StringComparer.Ordinal)
        .Select(number => (Number: number, Path: $"{Sockets}/{number}{Extension}", Owner: owners.OfPath($"{Sockets}/{number}{Extension}")))
        .Select(socket => new FoundChannel(
            NameOf(host, socket.Number) ?? socket.Number,
            $"{UnixEndpoint.Kind.Scheme}:{socket.Path}",
            "Proxmox",
            host.StateOf(socket.Path),
            socket.Owner.Name,
            socket.Owner.IsTrusted,
            host.ReadNumber($"{Sockets}/{socket.Number}.pid")));

    // The lines after the first one in brackets belong to snapshots.
    private static string? NameOf(Host host, string number) => host.Read($"{Configurations}/{number}.conf")?.Split('\n')
        .TakeWhile(line => line.Length == 0 || line[0] != '[')
        .FirstOrDefault(line => line.StartsWith(NameOption, StringComparison.Ordinal))?.Substring(NameOption.Length).Trim();
}
