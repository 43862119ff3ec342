using System.Text.Json;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>The calls of a session, in short. No caller gives up unless the test says so.</summary>
internal static class SessionCalls
{
    public static Task<GuestAgentSession> Connect(
        this GuestAgentEndpoint endpoint, GuestAgentSessionOptions? options = null, CallOptions? call = null) =>
        GuestAgentSession.ConnectAsync(endpoint, options, call, CancellationToken.None);

    public static Task<SyncResult> Sync(this GuestAgentSession session, CallOptions? call = null) =>
        session.SynchronizeAsync(call, CancellationToken.None);

    public static Task<JsonElement> Ask(this GuestAgentSession session, string command, CallOptions? call = null) =>
        session.Ask(new GuestAgentRequest(command), call);

    public static Task<JsonElement> Ask(this GuestAgentSession session, GuestAgentRequest request, CallOptions? call = null) =>
        session.InvokeAsync(request, call, CancellationToken.None);

    public static Task<JsonElement> AskUntil(this GuestAgentSession session, string command, CancellationToken caller) =>
        session.AskUntil(new GuestAgentRequest(command), caller);

    public static Task<JsonElement> AskUntil(
        this GuestAgentSession session, GuestAgentRequest request, CancellationToken caller) =>
        session.InvokeAsync(request, null, caller);
}
