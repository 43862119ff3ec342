using QemuGuestAgent.Core.Endpoints.Ssh;

namespace QemuGuestAgent.Core.Endpoints.Libvirt;

/// <summary>A libvirt URI that leads to another host by ssh, as in qemu+ssh://user@host:22/system?keyfile=/home/me/key.</summary>
internal sealed class LibvirtSshUri
{
    private const string Transport = "+ssh://";

    private LibvirtSshUri(SshHost host, string localUri) => (Host, LocalUri) = (host, localUri);

    /// <summary>The host.</summary>
    public SshHost Host { get; }

    /// <summary>The URI of the same hypervisor on that host.</summary>
    public string LocalUri { get; }

    /// <summary>Reads a URI; null where it has another transport.</summary>
    /// <exception cref="FormatException">It has a part that is wrong, or that ssh alone cannot follow.</exception>
    public static LibvirtSshUri? Parse(string? uri)
    {
        if (uri?.IndexOf(Transport, StringComparison.Ordinal) is not { } mark || mark <= 0 || uri.IndexOf(':') < mark)
        {
            return null;
        }

        var parts = uri.Substring(mark + Transport.Length).Split(['?'], 2);
        var slash = parts[0].IndexOf('/') is var index && index < 0 ? parts[0].Length : index;
        var (authority, path) = (parts[0].Substring(0, slash), parts[0].Substring(slash));
        var options = new Dictionary<string, string>();
        foreach (var option in parts.Length < 2 ? [] : parts[1].Split(['&', ';'], StringSplitOptions.RemoveEmptyEntries))
        {
            var pair = option.Split(['='], 2);
            Add(options, Uri.UnescapeDataString(pair[0]), pair.Length < 2 ? "" : Uri.UnescapeDataString(pair[1]));
        }

        var host = SshHost.Parse(authority.Length > 0 ? authority : "localhost", options, usesSudo: false);
        return new LibvirtSshUri(host, $"{uri.Substring(0, mark)}://{(path.Length > 0 ? path : "/")}");
    }

    private static void Add(Dictionary<string, string> options, string option, string value)
    {
        switch (option)
        {
            case "keyfile":
                options["IdentityFile"] = value;
                break;
            case "known_hosts":
                options["UserKnownHostsFile"] = value;
                break;
            case "no_verify" when value is "0" or "1":
                if (value == "1")
                {
                    options["StrictHostKeyChecking"] = "no";
                }

                break;
            case "no_verify":
                throw new FormatException("its option 'no_verify' is neither 0 nor 1");
            default:
                throw new FormatException($"its option '{option}' needs libvirt's own library");
        }
    }
}
