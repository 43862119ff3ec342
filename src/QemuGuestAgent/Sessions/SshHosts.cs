using System.Collections;
using System.Management.Automation;
using QemuGuestAgent.Core.Endpoints.Ssh;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent;

/// <summary>Hosts for ssh, as parameters with the names of New-PSSession give them.</summary>
internal static class SshHosts
{
    /// <summary>Reads a host.</summary>
    /// <param name="hostName"><c>[user@]host[:port]</c>.</param>
    /// <param name="userName">The user, before one of the host; null for none.</param>
    /// <param name="port">The port, before one of the host; 0 for none.</param>
    /// <param name="keyFilePath">The path of a private key; null for none.</param>
    /// <param name="options">Further options of ssh; null for none.</param>
    /// <param name="sudo">Whether commands run there by sudo.</param>
    /// <param name="shell">Resolves the path.</param>
    /// <exception cref="GuestAgentException">EndpointMalformed.</exception>
    public static SshHost Of(
        string hostName, string? userName, int port, string? keyFilePath, Hashtable? options, bool sudo, SessionState shell)
    {
        try
        {
            var given = SshHost.Parse(hostName);
            var all = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            if (keyFilePath is not null)
            {
                all["IdentityFile"] = shell.Path.GetUnresolvedProviderPathFromPSPath(keyFilePath);
            }

            foreach (DictionaryEntry option in options ?? [])
            {
                // A parameter counts before an option.
                if (!all.ContainsKey($"{option.Key}"))
                {
                    all.Add($"{option.Key}", LanguagePrimitives.ConvertTo<string>(option.Value));
                }
            }

            return new SshHost(given.HostName, userName ?? given.UserName, port > 0 ? port : given.Port, all, sudo);
        }
        catch (Exception e) when (e is FormatException or SessionStateException)
        {
            throw ErrorCatalogue.EndpointMalformed.Because(e, hostName, e.Message.TrimEnd('.'), "-HostName [user@]host[:port], -Options @{ Name = 'value' }");
        }
    }
}
