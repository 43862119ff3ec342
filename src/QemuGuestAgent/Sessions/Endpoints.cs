using System.Management.Automation;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent;

/// <summary>The endpoints that this module supports.</summary>
internal static class Endpoints
{
    private static readonly EndpointGrammar Grammar = EndpointGrammar.Default.With(EmbeddedEndpoint.Kind);

    /// <summary>The kinds of endpoints.</summary>
    public static IReadOnlyList<EndpointKind> Kinds => Grammar.Kinds;

    /// <summary>Parses an endpoint; a relative path starts at the shell's location.</summary>
    public static GuestAgentEndpoint Parse(string text, SessionState shell) => Grammar.Parse(text, path =>
    {
        try
        {
            var resolved = shell.Path.GetUnresolvedProviderPathFromPSPath(path, out var provider, out _);
            return provider.Name == "FileSystem" ? resolved : throw new FormatException($"its path belongs to the provider {provider.Name}");
        }
        catch (SessionStateException e)
        {
            throw new FormatException($"its path cannot be resolved: {e.Message.TrimEnd('.')}", e);
        }
    });

    /// <summary>Parses an endpoint whose path is absolute.</summary>
    public static GuestAgentEndpoint Parse(string text) => Grammar.Parse(text);

    /// <summary>The default name for a session: the part of its endpoint that distinguishes it from others.</summary>
    public static string DefaultName(GuestAgentEndpoint endpoint)
    {
        switch (endpoint)
        {
            case UnixEndpoint unix when Path.GetFileNameWithoutExtension(unix.SocketPath).TrimStart(UnixEndpoint.AbstractMark) is { Length: > 0 } name:
                return name;
            case SshEndpoint ssh when Path.GetFileNameWithoutExtension(ssh.SocketPath) is { Length: > 0 } name:
                return name;
            case SerialEndpoint serial:
                return serial.Device.StartsWith("/dev/", StringComparison.Ordinal) ? serial.Device.Substring("/dev/".Length) : serial.Device;
            case ExecEndpoint program:
                return Path.GetFileNameWithoutExtension(program.Program);
            case LibvirtEndpoint libvirt:
                return libvirt.Domain;
            case TcpEndpoint tcp:
                return $"{tcp.Host}:{tcp.Port}";
            default:
                var parts = endpoint.ToString().Split('?')[0].Split([':'], 2);
                return parts[parts.Length - 1] is { Length: > 0 } rest ? rest : parts[0];
        }
    }
}
