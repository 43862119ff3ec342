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

    /// <summary>The guests that are meant; none only where wildcards match nothing.</summary>
    /// <param name="given">What was given in place of a session.</param>
    /// <exception cref="GuestAgentException">GuestNotFound, EndpointFromObject, and those of a malformed endpoint.</exception>
    public IReadOnlyList<GuestTarget> Find(NamedGuest given) =>
        given.IsText ? Find(given.Name, withSessions: true)
        : given.Channel is { } channel ? [Of(channel.Endpoint, channel, withSessions: true)]
        : !given.IsMarked && given.ObjectEndpoint is { } endpoint ? [OfObject(endpoint, endpoint)]
        : ByExactName(given) is { Count: > 0 } found ? found
        : given.MarkedHost is null && given.ObjectEndpoint is { } own && OfObject(own, own) is var target && target.Name == given.Name ? [target]
        : given.MarkedHost is { } host ? throw ErrorCatalogue.GuestNotFound.With(AgentSession.FullNameOf(given.Name, host), " among the open sessions")
        : throw NotFound(given.Name, Channels(given.Name)[false]);

    /// <summary>The guests that a text of the user means; none only where wildcards match nothing.</summary>
    /// <param name="text">The name or the endpoint.</param>
    /// <param name="withSessions">Whether open sessions count.</param>
    /// <exception cref="GuestAgentException">GuestNotFound, and those of a malformed endpoint.</exception>
    public IReadOnlyList<GuestTarget> Find(string text, bool withSessions)
    {
        var key = $"{(withSessions ? 's' : 'e')}{text}";
        if (!_known.TryGetValue(key, out var found))
        {
            // A session may have any name.
            found = withSessions && SessionsNamed(text) is { Count: > 0 } named ? named
                : IsName(text) ? ByName(text, withSessions)
                : ByEndpoint(text, withSessions);
            _known.Add(key, found);
        }

        return found;
    }

    /// <summary>The open sessions of this runspace that a text means: their names, or the endpoint that one has.</summary>
    /// <exception cref="GuestAgentException">SessionNotFound.</exception>
    public IReadOnlyList<AgentSession> FindSessions(NamedGuest given)
    {
        var text = given.IsText ? given.Name : WildcardPattern.Escape(AgentSession.FullNameOf(given.Name, given.MarkedHost));
        if (given.IsMarked)
        {
            return ByExactName(given).Select(target => target.Session).OfType<AgentSession>().ToList() is { Count: > 0 } marked
                ? marked
                : throw ErrorCatalogue.SessionNotFound.With(text);
        }

        return !IsName(text) && SessionsNamed(given.Name).Count == 0 && Find(given) is [{ Session: { } session }, ..]
            ? [session]
            : SessionRegistry.OfThisRunspace.Find(text);
    }

    /// <summary>The endpoint of a guest of this host that is there now, for any thread.</summary>
    /// <exception cref="GuestAgentException">GuestNotFound.</exception>
    public static GuestAgentEndpoint FindEndpoint(string name)
    {
        var channels = Named(name, new ChannelFinder().Find());
        return channels[true].FirstOrDefault() is { } found ? Endpoints.Parse(found.Endpoint) : throw NotFound(name, channels[false]);
    }

    /// <summary>Whether a text may mean several guests by its wildcards: of kinds of endpoints, only the path of a socket has any.</summary>
    public static bool HasWildcards(string text) => NameFilter.HasWildcards(text)
        && (text.IndexOf(':') < 2 || text.StartsWith($"{UnixEndpoint.Kind.Scheme}:", StringComparison.OrdinalIgnoreCase));

    private static bool IsName(string text) => text.IndexOfAny([':', '/', '\\']) < 0;

    // Without its host, a name means the guests of all hosts.
    private static List<GuestTarget> SessionsNamed(string name) => [.. SessionRegistry.OfThisRunspace.Sessions
        .Where(session => NamesOf(session).Contains(name, StringComparer.OrdinalIgnoreCase)).Select(session => new GuestTarget(session))];

    private static string[] NamesOf(AgentSession session) => [session.Name, session.FullName];

    // An object may say anything: it starts no program here.
    private GuestTarget OfObject(string text, string endpoint)
    {
        var parsed = Endpoints.Parse(endpoint, shell);
        return parsed is ExecEndpoint or SshEndpoint { Host: { Options.Count: > 0 } or { UsesSudo: true } }
            or LibvirtEndpoint { HypervisorUri: not (null or "qemu:///system" or "qemu:///session") }
            ? throw ErrorCatalogue.EndpointFromObject.With(parsed)
            : Of(text, parsed, withSessions: true);
    }

    // A mark says the host too, where it is another one.
    private List<GuestTarget> ByExactName(NamedGuest given) =>
        SessionsNamed(given.Name).FindAll(session => !given.IsMarked || session.HostName == given.MarkedHost) is { Count: > 0 } sessions
            ? sessions.Count == 1 || given.MarkedHost is null ? sessions : throw ErrorCatalogue.GuestNotFound.With(
                AgentSession.FullNameOf(given.Name, given.MarkedHost), " that is the only one: open sessions by several ports have that name and host")
        : given.MarkedHost is not null ? []
        : [.. Channels(given.Name)[true].Select(channel => Of(given.Name, channel, withSessions: true))];

    private ILookup<bool, FoundChannel> Channels(string name) => Named(name, _channels ??= FindChannels());

    private static ILookup<bool, FoundChannel> Named(string name, IEnumerable<FoundChannel> channels) => channels
        .Where(channel => string.Equals(channel.Name, name, StringComparison.OrdinalIgnoreCase)).ToLookup(channel => channel.IsTrusted);

    private List<GuestTarget> ByName(string text, bool withSessions)
    {
        var pattern = NameFilter.PatternOf(text);
        List<GuestTarget> found = [.. (withSessions ? SessionRegistry.OfThisRunspace.Sessions : [])
            .Where(session => NamesOf(session).Any(pattern.IsMatch)).Select(session => new GuestTarget(session))];
        var isOne = !NameFilter.HasWildcards(text);
        if (isOne && found.Count > 0)
        {
            return found;
        }

        var channels = (_channels ??= FindChannels()).Where(channel => pattern.IsMatch(channel.Name)).ToLookup(channel => channel.IsTrusted);
        found.AddRange(channels[true].Select(channel => Of(isOne ? text : channel.Name, channel, withSessions)).Except(found));
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
        return endpoint is UnixEndpoint { IsAbstract: false } unix && NameFilter.HasWildcards(path) && !File.Exists(unix.SocketPath)
            ? [.. LocalPaths.Find(shell, path).Select(socket => Of(socket, Endpoints.Parse(start + socket, shell), withSessions))]
            : [Of(text, endpoint, withSessions)];
    }

    private static GuestTarget Of(string text, GuestAgentEndpoint endpoint, bool withSessions) =>
        withSessions && endpoint.LockName is { } name
            && SessionRegistry.OfThisRunspace.Sessions.FirstOrDefault(session => session.ChannelName == name) is { } session
            ? new(session)
            : new(text, Endpoints.DefaultName(endpoint), null, endpoint);

    // An open session may have another name than the guest.
    private static GuestTarget Of(string text, FoundChannel channel, bool withSessions)
    {
        var target = Of(text, Endpoints.Parse(channel.Endpoint), withSessions);
        return target.Session is null ? target with { Name = channel.Name } : target;
    }

    // A libvirt that does not answer must not block the prompt.
    private IReadOnlyList<FoundChannel> FindChannels()
    {
        var finding = Task.Run(() => new ChannelFinder().Find(), CancellationToken.None);
        finding.Wait(stop);
        return finding.Result;
    }
}
