namespace QemuGuestAgent.Core.Endpoints;

/// <summary>One kind of endpoint in the grammar.</summary>
/// <param name="Scheme">The text before the first colon, in lower case.</param>
/// <param name="Syntax">How it is written, for help and error texts.</param>
/// <param name="Parse">Parses the text after the first colon, or throws <see cref="FormatException"/> with the reason.</param>
/// <param name="IsPath">Whether the text after the colon is a file system path, which a shell may need to resolve.</param>
/// <param name="TakesUri">Whether the scheme may also precede a complete URI, with a '+' between them: then the '+' and the URI are parsed.</param>
public sealed record EndpointKind(
    string Scheme, string Syntax, Func<string, GuestAgentEndpoint> Parse, bool IsPath = false, bool TakesUri = false)
{
    /// <summary>How an endpoint of the kind begins.</summary>
    public string Start => $"{Scheme}:{(Syntax.StartsWith($"{Scheme}://", StringComparison.Ordinal) ? "//" : "")}";
}
