using System.Collections.Concurrent;
using QemuGuestAgent.Core.Endpoints;

namespace QemuGuestAgent.EmbeddedAgent;

/// <summary>An agent in this process: to try things on, and to test scripts against.</summary>
/// <remarks>
/// Without a name each connect finds a fresh agent. A name stands for one agent of the process, made when the name is first
/// used: its options are fixed then, and later uses give the same options or none.
/// </remarks>
public sealed class EmbeddedEndpoint : GuestAgentEndpoint
{
    /// <summary>The kind in the grammar.</summary>
    public static readonly EndpointKind Kind = new("embedded", "embedded:[name][?option=value&…]", Parse);

    private static readonly ConcurrentDictionary<string, (string Query, EmbeddedGuestAgent Agent)> Named = new();

    private readonly string _text;
    private readonly Func<EmbeddedGuestAgent> _agent;

    private EmbeddedEndpoint(string text, Func<EmbeddedGuestAgent> agent)
    {
        _text = text;
        _agent = agent;
    }

    /// <summary>Gives an agent a name, so that <c>embedded:name</c> is that agent from now on.</summary>
    /// <param name="name">The name: letters, digits, '-', '_' and '.'.</param>
    /// <param name="agent">The agent.</param>
    public static EmbeddedEndpoint Register(string name, EmbeddedGuestAgent agent)
    {
        Named[CheckName(name)] = ("", agent);
        return new EmbeddedEndpoint(name, () => agent);
    }

    /// <inheritdoc/>
    public override Task<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(_agent().Connect());
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Kind.Scheme}:{_text}";

    private static EmbeddedEndpoint Parse(string rest)
    {
        var mark = rest.IndexOf('?');
        var name = CheckName(mark < 0 ? rest : rest.Substring(0, mark));
        var query = mark < 0 ? "" : rest.Substring(mark + 1);
        var options = EmbeddedEndpointOptions.Parse(query);
        if (name.Length == 0)
        {
            return new EmbeddedEndpoint(rest, () => new EmbeddedGuestAgent(options));
        }

        var (firstQuery, agent) = Named.GetOrAdd(name, _ => (query, new EmbeddedGuestAgent(options)));
        return query.Length == 0 || query == firstQuery
            ? new EmbeddedEndpoint(rest, () => agent)
            : throw new FormatException($"the agent '{name}' already exists, with the options '{firstQuery}'");
    }

    private static string CheckName(string name) =>
        name.All(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.')
            ? name
            : throw new FormatException("its name contains characters other than letters, digits, '-', '_' and '.'");
}
