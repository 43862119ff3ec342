using System.Globalization;
using System.Text;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Endpoints.Ssh;

/// <summary>A host that the system's ssh client reaches, with the options for it. Immutable; equal if its text is.</summary>
public sealed class SshHost : IEquatable<SshHost>
{
    // What OpenSSH itself refuses, because a shell may come to see it.
    private const string Forbidden = "'`\"$\\;&<>|(){}[]?#/@=, ";

    // What the module needs to be as it is.
    private static readonly string[] Fixed =
        ["BatchMode", "ControlMaster", "ControlPath", "ControlPersist", "ForkAfterAuthentication", "RemoteCommand", "SessionType", "StdinNull"];

    // What does not change which host is reached.
    private static readonly string[] Harmless =
    [
        "Compression", "ConnectTimeout", "ConnectionAttempts", "IdentitiesOnly", "IdentityAgent", "IdentityFile", "LogLevel", "ServerAliveCountMax",
        "ServerAliveInterval", "StrictHostKeyChecking", "UserKnownHostsFile",
    ];

    // What a URI uses otherwise.
    private const string Reserved = "%?#&";

    private const string Sudo = "sudo";

    /// <summary>Creates one.</summary>
    /// <param name="hostName">A name, an address, or an alias of ssh's configuration.</param>
    /// <param name="userName">The user there; null for ssh's default.</param>
    /// <param name="port">The port of sshd; null for ssh's default.</param>
    /// <param name="options">Options as in ssh_config(5); null for none.</param>
    /// <param name="usesSudo">Whether commands run there by <c>sudo -n</c>.</param>
    /// <exception cref="FormatException">One of them is not valid.</exception>
    public SshHost(
        string hostName, string? userName = null, int? port = null, IReadOnlyDictionary<string, string>? options = null, bool usesSudo = false)
    {
        if (hostName.Length == 0)
        {
            throw new FormatException("it has no host");
        }

        if (hostName[0] == '-' || hostName.Any(c => Forbidden.Contains(c) || char.IsControl(c)))
        {
            throw new FormatException($"'{hostName}' is not the name of a host");
        }

        // A domain's user has a backslash inside.
        if (userName is not null && (userName.Length == 0 || userName[0] == '-' || userName[userName.Length - 1] == '\\'
            || userName.Any(c => (Forbidden.Contains(c) && c is not ('\\' or '@')) || char.IsControl(c))))
        {
            throw new FormatException($"'{userName}' is not the name of a user");
        }

        if (port is < 1 or > 65535)
        {
            throw new FormatException($"its port {port} is not from 1 to 65535");
        }

        foreach (var option in options ?? new Dictionary<string, string>())
        {
            if (option.Key.Length == 0 || !option.Key.All(c => c is (>= 'A' and <= 'Z') or (>= 'a' and <= 'z') or (>= '0' and <= '9')))
            {
                throw new FormatException($"'{option.Key}' is not the name of an option of ssh");
            }

            if (Fixed.Contains(option.Key, StringComparer.OrdinalIgnoreCase))
            {
                throw new FormatException($"its option {option.Key} is not for a user to set");
            }

            if (option.Value.Length == 0 || option.Value.Any(char.IsControl))
            {
                throw new FormatException($"its option {option.Key} has no value of one line");
            }
        }

        (HostName, UserName, Port, UsesSudo) = (hostName, userName, port, usesSudo);
        Options = (options ?? new Dictionary<string, string>()).ToDictionary(option => option.Key, option => option.Value, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>A name, an address, or an alias of ssh's configuration.</summary>
    public string HostName { get; }

    /// <summary>The user there; null for ssh's default.</summary>
    public string? UserName { get; }

    /// <summary>The port of sshd; null for ssh's default.</summary>
    public int? Port { get; }

    /// <summary>Options as in ssh_config(5).</summary>
    public IReadOnlyDictionary<string, string> Options { get; }

    /// <summary>Whether commands run there by <c>sudo -n</c>.</summary>
    public bool UsesSudo { get; }

    /// <summary>Parses <c>[user@]host[:port]</c>, where an IPv6 address has brackets.</summary>
    /// <exception cref="FormatException">It is not valid.</exception>
    public static SshHost Parse(string text) => Parse(text, null, false);

    /// <inheritdoc cref="Parse(string)"/>
    internal static SshHost Parse(string text, IReadOnlyDictionary<string, string>? options, bool usesSudo)
    {
        var at = text.LastIndexOf('@');
        var userName = at < 0 ? null : Unescape(text.Substring(0, at));
        var host = text.Substring(at + 1);
        var close = host.Length > 0 && host[0] == '[' ? host.IndexOf(']') : -1;
        var colon = host.IndexOf(':', close + 1);
        var name = Unescape(close > 0 ? host.Substring(1, close - 1) : colon < 0 ? host : host.Substring(0, colon));
        if (close > 0 && close + 1 < host.Length && host[close + 1] != ':')
        {
            throw new FormatException($"'{host}' is not the name of a host");
        }

        if (colon < 0)
        {
            return new SshHost(name, userName, null, options, usesSudo);
        }

        var number = host.Substring(colon + 1);
        return int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            ? new SshHost(name, userName, port, options, usesSudo)
            : throw new FormatException($"'{number}' is not a port (an IPv6 address is written in brackets)");
    }

    /// <summary>Reads the options of an endpoint: <c>name=value</c>, or <c>sudo</c>.</summary>
    /// <exception cref="FormatException">One is not valid.</exception>
    internal static (IReadOnlyDictionary<string, string> Options, bool UsesSudo) ParseOptions(string text)
    {
        var options = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var usesSudo = false;
        foreach (var part in text.Split(['&'], StringSplitOptions.RemoveEmptyEntries))
        {
            var sign = part.IndexOf('=');
            if (part == Sudo)
            {
                usesSudo = true;
            }
            else if (sign < 0)
            {
                throw new FormatException($"its option '{part}' has no value");
            }
            else if (!options.ContainsKey(part.Substring(0, sign)))
            {
                // ssh takes the first value of an option.
                options.Add(part.Substring(0, sign), Unescape(part.Substring(sign + 1)));
            }
        }

        return (options, usesSudo);
    }

    /// <summary>The text of an endpoint on the host.</summary>
    /// <param name="path">The path after the host, which starts with a slash.</param>
    internal string At(string path)
    {
        var options = Options.Select(option => $"{option.Key}={Escape(option.Value)}").Concat(UsesSudo ? [Sudo] : []);
        return $"ssh://{Authority}{Escape(path)}{string.Concat(options.Select((option, i) => (i == 0 ? "?" : "&") + option))}";
    }

    /// <summary>The command that does nothing there, for a user to try.</summary>
    internal string Command => $"ssh -o BatchMode=yes {(Port is null ? "" : $"-p {Port} ")}{(UserName is null ? "" : $"{UserName}@")}{HostName} true";

    /// <summary>What tells it from other hosts, whoever logs in.</summary>
    internal string Address => $"{HostName.ToLowerInvariant()}:{Port}{string.Concat(Options
        .Where(option => !Harmless.Contains(option.Key, StringComparer.OrdinalIgnoreCase)).OrderBy(option => option.Key, StringComparer.OrdinalIgnoreCase)
        .Select(option => $"&{option.Key.ToLowerInvariant()}={option.Value}"))}";

    /// <summary>The host with its user and port.</summary>
    internal string Authority =>
        $"{(UserName is null ? "" : $"{Escape(UserName).Replace("@", "%40")}@")}{(HostName.Contains(':') ? $"[{Escape(HostName)}]" : Escape(HostName))}{(Port is null ? "" : $":{Port}")}";

    /// <inheritdoc/>
    public bool Equals(SshHost? other) => other is not null && At("") == other.At("");

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as SshHost);

    /// <inheritdoc/>
    public override int GetHashCode() => At("").GetHashCode();

    /// <summary>The host as it is written.</summary>
    public override string ToString() => Authority;

    /// <summary>Decodes percent-encoded text.</summary>
    internal static string Unescape(string text) => Uri.UnescapeDataString(text);

    // Only what would end or change the text; a path stays legible.
    private static string Escape(string text)
    {
        var escaped = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            var c = text.Substring(i, char.IsHighSurrogate(text[i]) && i + 1 < text.Length ? 2 : 1);
            i += c.Length - 1;
            escaped.Append(Reserved.Contains(c) || char.IsWhiteSpace(c[0]) || SafeText.Escape(c) != c ? Uri.EscapeDataString(c) : c);
        }

        return escaped.ToString();
    }
}
