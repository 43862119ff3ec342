using System.Text.Json;
using System.Text.Json.Nodes;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Tests.Contract;

/// <summary>What a client can rely on, held against every agent there is: each subclass brings one.</summary>
public abstract partial class AgentContract : IAsyncLifetime
{
    // A call that must be answered waits as long as its default; one that cannot be waits no longer than this.
    private static readonly CallOptions Briefly = new() { Timeout = TimeSpan.FromMilliseconds(500) };

    private AgentPeer Peer { get; set; } = null!;

    private static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => Peer = await StartPeerAsync();

    public async ValueTask DisposeAsync()
    {
        if (Peer is not null)
        {
            await Peer.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Starts a fresh agent for one test, or skips the test where there is none.</summary>
    protected abstract Task<AgentPeer> StartPeerAsync();

    private static GuestAgentRequest Request(string command, object? arguments = null) =>
        new(command, ArgumentWriter.Prepare(command, arguments is null ? null : Members(arguments)));

    // Arguments are written as anonymous objects; '_' in a name stands for '-'.
    private static Dictionary<string, object?> Members(object arguments) => arguments.GetType().GetProperties()
        .ToDictionary(property => property.Name.Replace('_', '-'), property => property.GetValue(arguments));

    private static Task<JsonElement> InvokeAsync(GuestAgentSession session, string command, object? arguments = null) =>
        session.InvokeAsync(Request(command, arguments), cancellationToken: TestEnd);

    // The one command whose answer is of the caller's choosing: nobody else's answer can pass for it.
    private static async Task<long> EchoAsync(
        GuestAgentSession session, long number, CallOptions? call = null, CancellationToken? cancellationToken = null) =>
        (await session.InvokeAsync(Request("guest-sync", new { id = number }), call, cancellationToken ?? TestEnd)).GetInt64();

    private static async Task<GuestAgentException> AssertFailsAsync(string errorId, Func<Task> act)
    {
        var error = await Assert.ThrowsAsync<GuestAgentException>(act);
        Assert.Equal(errorId, error.ErrorId);
        return error;
    }

    private static void AssertJson(string expected, string actual) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), JsonNode.Parse(actual)), $"Expected {expected}, got {actual}");

    private static async Task AssertServesAsync(GuestAgentSession session)
    {
        var number = Random.Shared.NextInt64();
        Assert.Equal(number, await EchoAsync(session, number));
        Assert.Equal("{}", (await InvokeAsync(session, "guest-ping")).GetRawText());
        Assert.Equal(GuestAgentSessionState.Ready, session.State);
    }
}
