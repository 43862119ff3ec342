namespace QemuGuestAgent.Core.Endpoints.Finding;

/// <summary>The channels on the command lines of running QEMU processes, as Linux lists them.</summary>
internal static class QemuChannels
{
    public static IEnumerable<FoundChannel> Find(Host host, Owners owners) => host.Processes()
        .OrderBy(id => id)
        .SelectMany(id => FindIn(host, owners, id));

    private static IEnumerable<FoundChannel> FindIn(Host host, Owners owners, int id)
    {
        var line = QemuCommandLine.Read(host.Read($"/proc/{id}/cmdline")?.Split('\0') ?? []);
        foreach (var chardev in line?.AgentChardevs ?? [])
        {
            if (EndpointOf(host, id, chardev) is { } endpoint && owners.OfProcess(id) is { } owner)
            {
                var path = (endpoint as UnixEndpoint)?.SocketPath;
                var hands = owner.IsTrusted && (endpoint is UnixEndpoint { IsAbstract: false } ? path : (endpoint as SerialEndpoint)?.Device) is { } file
                    && owners.OfPath(file) is { IsTrusted: false } other ? other : owner;
                var state = endpoint is UnixEndpoint unix ? host.StateOf(unix.IsAbstract ? unix.SocketPath : chardev["path"]) : FoundChannelState.Unknown;
                string?[] names = [line!.Name, Path.GetFileNameWithoutExtension(path)];
                yield return new FoundChannel(
                    names.FirstOrDefault(name => name is { Length: > 0 }) ?? $"{id}", $"{endpoint}", "QEMU", state, hands.Name, hands.IsTrusted, id);
            }
        }
    }

    // Null if only its QEMU can reach it: libvirt passes it an open socket, and a client socket has no address.
    private static GuestAgentEndpoint? EndpointOf(Host host, int id, IReadOnlyDictionary<string, string> chardev)
    {
        try
        {
            return chardev switch
            {
                _ when chardev.TryGetValue("path", out var path) && chardev["backend"] == "pty" => new SerialEndpoint(path),
                _ when chardev["backend"] != "socket" || !IsOn(chardev, "server") => null,
                _ when chardev.TryGetValue("path", out var path) => new UnixEndpoint(
                    IsOn(chardev, "abstract") ? UnixEndpoint.AbstractMark + path : AbsolutePath(host, id, path)),
                _ when chardev.TryGetValue("port", out var port) => new TcpEndpoint(LocalHost(chardev), int.TryParse(port, out var number) ? number : 0),
                _ => null,
            };
        }
        catch (FormatException e)
        {
            // A path too long for a client, none at all, a port by the name of a service.
            host.Tell($"A channel of process {id} is not listed: {e.Message}");
            return null;
        }
    }

    // A server on all addresses is reached at the loopback address.
    private static string LocalHost(IReadOnlyDictionary<string, string> chardev) =>
        chardev.TryGetValue("host", out var host) && host is not ("" or "0.0.0.0" or "::") ? host : "127.0.0.1";

    // A QEMU in a container has its own root; only root can see that of other users' processes.
    private static string AbsolutePath(Host host, int id, string path)
    {
        if (path.Length == 0)
        {
            throw new FormatException("it has no path");
        }

        var absolute = path[0] == '/' ? path
            : host.ReadLink($"/proc/{id}/cwd") is { } folder ? $"{folder}/{path}"
            : throw new FormatException($"its path '{path}' is relative to a folder that this account cannot read");
        return host.ReadLink($"/proc/{id}/ns/mnt") is { } its && its != host.ReadLink("/proc/self/ns/mnt") ? $"/proc/{id}/root{absolute}" : absolute;
    }

    private static bool IsOn(IReadOnlyDictionary<string, string> options, string name) =>
        options.TryGetValue(name, out var value) && value is "on" or "yes" or "true" or "y";
}
