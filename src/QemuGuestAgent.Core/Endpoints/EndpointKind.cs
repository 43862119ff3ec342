namespace QemuGuestAgent.Core.Endpoints;

/// <summary>One kind of endpoint in the grammar.</summary>
/// <param name="Scheme">What stands before the first colon, in lower case.</param>
/// <param name="Syntax">How it is written, for help and error texts.</param>
/// <param name="Parse">Makes an endpoint of what stands after the first colon, or throws <see cref="FormatException"/> with the reason.</param>
/// <param name="IsPath">Whether what stands after the colon is a path of the file system, which a shell may want to resolve.</param>
/// <param name="TakesUri">Whether the scheme may also stand before a whole URI, with a '+' between them: the '+' and the URI are what is parsed then.</param>
public sealed record EndpointKind(
    string Scheme, string Syntax, Func<string, GuestAgentEndpoint> Parse, bool IsPath = false, bool TakesUri = false);
