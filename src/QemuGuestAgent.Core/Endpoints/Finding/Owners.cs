using System.Globalization;
using System.Text.RegularExpressions;

namespace QemuGuestAgent.Core.Endpoints.Finding;

/// <summary>The user who controls something.</summary>
/// <param name="Name">The user's name.</param>
/// <param name="IsTrusted">Whether that is root, the user of this process or the hypervisor's own user.</param>
internal readonly record struct ChannelOwner(string Name, bool IsTrusted);

/// <summary>
/// Determines which user controls what on a host. Any user can run a process that looks like QEMU and create a socket for it: that user
/// receives what is sent there.
/// </summary>
internal sealed class Owners
{
    // Of Debian, Ubuntu and Arch; of Fedora, Red Hat, SUSE, Gentoo and Alpine.
    private static readonly string[] HypervisorUsers = ["libvirt-qemu", "qemu"];

    private static readonly ChannelOwner Anyone = new("anyone", false);
    private static readonly Regex ConfiguredUser = new("(?m)^[ \\t]*user[ \\t]*=[ \\t]*[\"']\\+?([^\"'\\n]+)[\"']");

    private readonly Host _host;
    private readonly Dictionary<uint, string> _names = [];
    private readonly HashSet<uint> _trusted;

    /// <summary>Reads the users of a host.</summary>
    /// <param name="host">The host.</param>
    /// <param name="self">The user of this process.</param>
    public Owners(Host host, uint self)
    {
        _host = host;
        _trusted = [0, self];
        var hypervisors = HypervisorUsers.Concat(ConfiguredUser.Matches(host.Read("/etc/libvirt/qemu.conf") ?? "").Cast<Match>()
            .Select(match => match.Groups[1].Value)).ToList();
        foreach (var fields in (host.Read("/etc/passwd") ?? "").Split('\n').Select(line => line.Split(':')))
        {
            if (fields.Length > 2 && TryParse(fields[2], out var number))
            {
                _names[number] = fields[0];
            }
        }

        _trusted.UnionWith(_names.Where(user => hypervisors.Contains(user.Value) || hypervisors.Contains($"{user.Key}")).Select(user => user.Key));
    }

    /// <summary>The user who controls a process, by all its user ids: any user can start a setuid program. Null if it has ended.</summary>
    public ChannelOwner? OfProcess(int id)
    {
        const int effective = 1;
        var line = (_host.Read($"/proc/{id}/status") ?? "").Split('\n').FirstOrDefault(line => line.StartsWith("Uid:", StringComparison.Ordinal));
        var users = (line ?? "").Split(['\t', ' '], StringSplitOptions.RemoveEmptyEntries)
            .Select(text => TryParse(text, out var user) ? user : (uint?)null).OfType<uint>().ToList();
        return users.Count > effective ? Of(users.Where(user => !_trusted.Contains(user)).DefaultIfEmpty(users[effective]).First()) : null;
    }

    /// <summary>The user who controls a path: of everything along it, the first part that does not belong to a trusted user, or that is open to all.</summary>
    public ChannelOwner OfPath(string path)
    {
        const int mostLinks = 40;
        return OfPath(path, mostLinks);
    }

    private ChannelOwner OfPath(string path, int links)
    {
        var at = "";
        if (links == 0 || _host.StatusOf("/") is not { } status)
        {
            return Anyone;
        }

        var names = path.Split(['/'], StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < names.Length; i++)
        {
            var folder = at;
            at = $"{folder}/{names[i]}";
            if (_host.StatusOf(at) is not { } next)
            {
                // It may be created later, by any user who can write there.
                return status.TakesFromAll ? Anyone : Of(status.Owner);
            }

            status = next;
            if (!_trusted.Contains(status.Owner))
            {
                return Of(status.Owner);
            }

            if (status is { IsFolder: true, IsOpenToAll: true })
            {
                return Anyone;
            }

            // The link to the root of a process, through which a QEMU in a container is reached, points elsewhere than its text says.
            if (status.IsLink && !at.StartsWith("/proc/", StringComparison.Ordinal) && _host.ReadLink(at) is { } target)
            {
                return OfPath(string.Join("/", names.Skip(i + 1).Prepend(target[0] == '/' ? target : $"{folder}/{target}")), links - 1);
            }
        }

        return Of(status.Owner);
    }

    private static bool TryParse(string text, out uint number) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private ChannelOwner Of(uint user) =>
        new(_names.TryGetValue(user, out var name) ? name : user.ToString(CultureInfo.InvariantCulture), _trusted.Contains(user));
}
