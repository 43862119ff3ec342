using System.Text.Json;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Commands;

/// <summary>Sends commands that have no arguments and reads their replies.</summary>
internal static class Asking
{
    /// <summary>Asks for what one object tells.</summary>
    public static async Task<T> AskAsync<T>(
        this GuestAgentSession session, string command, Func<JsonElement, T> parse, CallOptions? call,
        CancellationToken cancellation) =>
        parse(await session.InvokeAsync(new GuestAgentRequest(command), call, cancellation).ConfigureAwait(false));

    /// <summary>Asks for a list of objects.</summary>
    public static async Task<IReadOnlyList<T>> AskListAsync<T>(
        this GuestAgentSession session, string command, Func<JsonElement, T> parse, CallOptions? call,
        CancellationToken cancellation)
    {
        var reply = await session.InvokeAsync(new GuestAgentRequest(command), call, cancellation).ConfigureAwait(false);
        return [.. reply.Objects().Select(parse)];
    }
}
