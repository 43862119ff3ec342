using QemuGuestAgent.Core.Endpoints.Ssh;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Endpoints.Finding;

/// <summary>Finds the channels into the guests of a host that ssh reaches, where nothing needs to be installed. It opens none of them.</summary>
public static class SshChannelFinder
{
    // Of libvirt's URIs, by the option of ssh that they stand for.
    private static readonly Dictionary<string, string> LibvirtOptions = new(StringComparer.OrdinalIgnoreCase)
    {
        ["IdentityFile"] = "keyfile",
        ["UserKnownHostsFile"] = "known_hosts",
    };

    // Each level of folders and links is a round; a host that always has more to tell is not followed for ever.
    private const int MaxRounds = 200;

    /// <summary>Finds the channels, as <see cref="ChannelFinder"/> does on this host, with endpoints that lead there.</summary>
    /// <param name="host">The host.</param>
    /// <param name="tell">Receives messages about what could not be read.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="GuestAgentException">An <c>Ssh…</c> or <c>Endpoint…</c> error.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async Task<IReadOnlyList<FoundChannel>> FindAsync(
        SshHost host, Action<string>? tell = null, CancellationToken cancellationToken = default)
    {
        using var use = SshConnection.Use(host);
        var script = await use.Connection.StartAsync(host, HostScripts.Answer, [], cancellationToken).ConfigureAwait(false);
        using var stream = script.Stream;
        if (script.Said is not [HostScripts.Up, var id] || !uint.TryParse(id, out var user))
        {
            throw ErrorCatalogue.SshFailed.With(host, $"its shell said: {string.Join(" ", script.Said)}", host.Command);
        }

        var answers = new HostAnswers(host, script);
        for (var round = 0; ; round++)
        {
            var told = new List<string>();
            var found = ChannelFinder.Find(new RemoteHost(answers, told.Add), user, $"/run/user/{user}");
            if (!answers.AreWanted)
            {
                IReadOnlyList<FoundChannel> channels = [.. found.Select(channel => AtHost(host, channel, told.Add)).OfType<FoundChannel>()];
                told.ForEach(tell ?? (_ => { }));
                return channels;
            }

            if (round == MaxRounds)
            {
                throw ErrorCatalogue.SshFailed.With(host, "it has always more to tell", host.Command);
            }

            await answers.FetchAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    // Null where ssh does not lead there.
    private static FoundChannel? AtHost(SshHost host, FoundChannel channel, Action<string> tell)
    {
        try
        {
            var endpoint = EndpointGrammar.Default.Parse(channel.Endpoint, path => path) switch
            {
                UnixEndpoint { IsAbstract: false } unix => new SshEndpoint(host, unix.SocketPath),
                LibvirtEndpoint { HypervisorUri: { } uri } libvirt => new LibvirtEndpoint(libvirt.Domain, LibvirtUri(host, uri)),
                _ => (GuestAgentEndpoint?)null,
            };
            if (endpoint is not null)
            {
                return new FoundChannel(
                    channel.Name, $"{endpoint}", channel.Source, channel.State, channel.Owner, channel.IsTrusted, channel.ProcessId, host.HostName);
            }

            tell($"A channel of '{channel.Name}' is not listed: only sockets of another host can be reached, not '{channel.Endpoint}'.");
        }
        catch (FormatException e)
        {
            tell(SafeText.Escape($"A channel of '{channel.Name}' is not listed: {e.Message}"));
        }

        return null;
    }

    private static string LibvirtUri(SshHost host, string uri)
    {
        if (host.UsesSudo)
        {
            throw new FormatException("libvirt's domains are not reached by sudo: the user of the host must be in the group libvirt, or root");
        }

        var options = host.Options.Select(option =>
            LibvirtOptions.TryGetValue(option.Key, out var name) ? $"{name}={Uri.EscapeDataString(option.Value)}"
            : option.Key.Equals("StrictHostKeyChecking", StringComparison.OrdinalIgnoreCase) && option.Value == "no" ? "no_verify=1"
            : throw new FormatException($"the URI of libvirt cannot have the option {option.Key} of ssh: write it into ssh's configuration")).ToList();
        return $"{uri.Replace("qemu://", $"qemu+ssh://{host.Authority}")}{(options.Count > 0 ? "?" : "")}{string.Join("&", options)}";
    }
}
