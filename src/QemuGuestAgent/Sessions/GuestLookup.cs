using System.Management.Automation;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Endpoints.Finding;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent;

/// <summary>
/// Finds the guests that a text means. With a colon or a slash it is an endpoint, where the path of a socket may have wildcards; otherwise
/// it is a name, which may have wildcards too: of open sessions of this runspace, else of the channels of this host.
/// </summary>
internal sealed class GuestLookup(SessionState shell, CancellationToken stop)
{
    private readonly Dictionary<string, IReadOnlyList<GuestTarget>> _known = new(StringComparer.Ordinal);
    private IReadOnlyList<FoundChannel>? _channels;

    /// <summary>Whether a text is a name, and no endpoint.</summary>
    public static bool IsName(string text) => text.IndexOfAny([':', '/', '\\']) < 0;

    /// <summary>The guests that a text means; none only where wildcards match nothing.</summary>
    /// <param name="text">The name or the endpoint.</param>
    /// <param name="withSessions">Whether open sessions count.</param>
    /// <exception cref="GuestAgentException">GuestNotFound, and those of a malformed endpoint.</exception>
    public IReadOnlyList<GuestTarget> Find(string text, bool withSessions)
    {
        var key = $"{(withSessions ? 's' : 'e')}{text}";
        if (!_known.TryGetValue(key, out var found))
        {
            found = IsName(text) ? ByName(text, withSessions) : ByEndpoint(text, withSessions);
            _known.Add(key, found);
        }

        return found;
    }

    /// <summary>The endpoint of a guest of this host that is there now, for any thread.</summary>
    /// <exception cref="GuestAgentException">GuestNotFound.</exception>
    public static GuestAgentEndpoint FindEndpoint(string name)
    {
        var channels = new ChannelFinder().Find().Where(channel => NameFilter.PatternOf(name).IsMatch(channel.Name)).ToLookup(channel => channel.IsTrusted);
        return channels[true].FirstOrDefault() is { } found ? Endpoints.Parse(found.Endpoint) : throw NotFound(name, channels[false]);
    }

    private List<GuestTarget> ByName(string text, bool withSessions)
    {
        var pattern = NameFilter.PatternOf(text);
        List<GuestTarget> found = [.. (withSessions ? SessionRegistry.OfThisRunspace.Sessions : [])
            .Where(session => pattern.IsMatch(session.Name)).Select(session => new GuestTarget(session))];
        var isOne = !WildcardPattern.ContainsWildcardCharacters(text);
        if (isOne && found.Count > 0)
        {
            return found;
        }

        var channels = (_channels ??= FindChannels()).Where(channel => pattern.IsMatch(channel.Name)).ToLookup(channel => channel.IsTrusted);
        var opened = new HashSet<string>(
            found.Select(target => target.Session!.ChannelName ?? target.Session.Endpoint), StringComparer.Ordinal);
        found.AddRange(channels[true]
            .Select(channel => new GuestTarget(isOne ? text : channel.Name, channel.Name, null, Endpoints.Parse(channel.Endpoint)))
            .Where(target => !opened.Contains(target.Endpoint!.LockName ?? $"{target.Endpoint}")));
        return found.Count > 0 || !isOne ? found
            : throw NotFound(text, channels[false]);
    }

    private static GuestAgentException NotFound(string name, IEnumerable<FoundChannel> untrusted) =>
        ErrorCatalogue.GuestNotFound.With(name, untrusted.FirstOrDefault() is { } other
            ? $" that can be trusted: another user ({other.Owner}) controls '{other.Endpoint}' and could read all that is sent there"
            : " among the open sessions and the channels of this host");

    private IReadOnlyList<GuestTarget> ByEndpoint(string text, bool withSessions)
    {
        var start = $"{UnixEndpoint.Kind.Scheme}:";
        var path = text.StartsWith(start, StringComparison.OrdinalIgnoreCase) ? text.Substring(start.Length) : text;
        var endpoint = Endpoints.Parse(text, shell);
        return endpoint is UnixEndpoint { IsAbstract: false } unix && WildcardPattern.ContainsWildcardCharacters(path) && !File.Exists(unix.SocketPath)
            ? [.. LocalPaths.Find(shell, path).Select(socket => Of(socket, Endpoints.Parse(start + socket, shell), withSessions))]
            : [Of(text, endpoint, withSessions)];
    }

    private static GuestTarget Of(string text, GuestAgentEndpoint endpoint, bool withSessions) =>
        withSessions && endpoint.LockName is { } name
            && SessionRegistry.OfThisRunspace.Sessions.FirstOrDefault(session => session.ChannelName == name) is { } session
            ? new(session)
            : new(text, Endpoints.DefaultName(endpoint), null, endpoint);

    // A libvirt that does not answer must not block the prompt.
    private IReadOnlyList<FoundChannel> FindChannels()
    {
        var finding = Task.Run(() => new ChannelFinder().Find(), CancellationToken.None);
        finding.Wait(stop);
        return finding.Result;
    }
}
