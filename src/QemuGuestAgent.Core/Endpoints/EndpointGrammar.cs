using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>The one grammar for endpoints: <c>scheme:rest</c>, or the bare path of a Unix domain socket.</summary>
public sealed class EndpointGrammar
{
    /// <summary>The kinds that this library provides.</summary>
    public static readonly EndpointGrammar Default = new(
        UnixEndpoint.Kind, TcpEndpoint.Kind, PipeEndpoint.Kind, SerialEndpoint.Kind, VsockEndpoint.Kind, ExecEndpoint.Kind, SshEndpoint.Kind,
        LibvirtEndpoint.Kind);

    /// <summary>Creates a grammar of the given kinds.</summary>
    public EndpointGrammar(params EndpointKind[] kinds) => Kinds = kinds;

    /// <summary>The kinds of this grammar.</summary>
    public IReadOnlyList<EndpointKind> Kinds { get; }

    /// <summary>A grammar with these kinds and the given ones.</summary>
    public EndpointGrammar With(params EndpointKind[] kinds) => new([.. Kinds, .. kinds]);

    /// <summary>Parses an endpoint.</summary>
    /// <param name="text">The endpoint as a user writes it.</param>
    /// <param name="resolvePath">Makes a path absolute; null uses the process's current directory.</param>
    /// <exception cref="GuestAgentException">EndpointKindUnknown or EndpointMalformed.</exception>
    public GuestAgentEndpoint Parse(string text, Func<string, string>? resolvePath = null)
    {
        var (scheme, rest) = Split(text);
        var kind = Kinds.FirstOrDefault(k => k.Scheme == scheme || (k.TakesUri && scheme.StartsWith($"{k.Scheme}+", StringComparison.Ordinal)))
            ?? throw ErrorCatalogue.EndpointKindUnknown.With(text, scheme, string.Join(", ", Kinds.Select(k => k.Syntax)));
        if (kind.Scheme.Length < scheme.Length)
        {
            rest = text.Substring(kind.Scheme.Length);
        }

        try
        {
            // Invalid paths are left for the kind to refuse: a resolver has its own exceptions for them.
            var isPath = kind.IsPath && rest.Length > 0 && rest[0] != UnixEndpoint.AbstractMark && !rest.Contains('\0');
            return kind.Parse(isPath ? (resolvePath ?? Path.GetFullPath)(rest) : rest);
        }
        catch (FormatException reason)
        {
            throw ErrorCatalogue.EndpointMalformed.Because(reason, text, reason.Message, kind.Syntax);
        }
    }

    // A scheme has two letters at least: "C:\run\vm1.sock" is a path.
    private static (string Scheme, string Remainder) Split(string text)
    {
        var colon = text.IndexOf(':');
        return colon >= 2 && char.IsLetter(text[0]) && text.Take(colon).All(c => char.IsLetterOrDigit(c) || c is '+' or '-' or '.')
            ? (text.Substring(0, colon).ToLowerInvariant(), text.Substring(colon + 1))
            : (UnixEndpoint.Kind.Scheme, text);
    }
}
