using System.Text.Json.Nodes;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;

namespace QemuGuestAgent.Core.Tests.Commands;

/// <summary>A call of a session against what it puts on the wire, request by request.</summary>
internal static class Conversation
{
    /// <summary>Makes the call, expects each command with its arguments (null for none) and answers it.</summary>
    public static async Task<T> HoldAsync<T>(
        Func<GuestAgentSession, Task<T>> call, params (string Command, string? Arguments, string Reply)[] turns)
    {
        using var dialogue = await Dialogue.StartAsync();
        var calling = call(dialogue.Session);
        foreach (var (command, arguments, reply) in turns)
        {
            var request = await dialogue.Peer.ReadAsync();
            Assert.Equal(command, request.Command);
            var sent = JsonNode.Parse(request.Text)!["arguments"];
            Assert.True(
                JsonNode.DeepEquals(arguments is null ? null : JsonNode.Parse(arguments), sent),
                $"{arguments} was expected, and this came: {sent}");
            dialogue.Peer.Write(reply.StartsWith('!')
                ? AgentScript.Error(request, reply[1..])
                : AgentScript.Return(request, reply));
        }

        var result = await calling.OrHang();
        await dialogue.IsInSyncAsync();
        return result;
    }

    /// <summary>Makes the call and expects one command with its arguments, which succeeds with nothing to tell.</summary>
    public static Task SaysAsync(Func<GuestAgentSession, Task> call, string command, string? arguments) => HoldAsync(
        async session =>
        {
            await call(session);
            return true;
        },
        (command, arguments, "{}"));
}
