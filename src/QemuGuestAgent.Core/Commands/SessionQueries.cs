using System.Text.Json;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Commands;

/// <summary>Sends commands that have no arguments and reads their replies.</summary>
internal static class SessionQueries
{
    /// <summary>Asks for what one object tells.</summary>
    public static async Task<T> AskAsync<T>(
        this GuestAgentSession session, string command, Func<JsonElement, T> parse, CallOptions? call,
        CancellationToken cancellationToken) =>
        parse(await session.InvokeAsync(new GuestAgentRequest(command), call, cancellationToken).ConfigureAwait(false));

    /// <summary>Asks for a list of objects.</summary>
    public static async Task<IReadOnlyList<T>> QueryListAsync<T>(
        this GuestAgentSession session, string command, Func<JsonElement, T> parse, CallOptions? call,
        CancellationToken cancellationToken)
    {
        var reply = await session.InvokeAsync(new GuestAgentRequest(command), call, cancellationToken).ConfigureAwait(false);
        return [.. reply.Objects().Select(parse)];
    }
}
