using System.Collections.Specialized;
using System.Text.Json;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Commands;

/// <summary>The commands that read a file. One that is open stays open in the agent until it is closed.</summary>
internal static class Files
{
    /// <summary>The request that opens a file to be read; its reply is the handle, a number.</summary>
    public static GuestAgentRequest OpenRequest(string path)
    {
        var arguments = new OrderedDictionary { ["path"] = path, ["mode"] = "r" };
        return new GuestAgentRequest("guest-file-open", ArgumentWriter.Prepare("guest-file-open", arguments))
        {
            KeepsLateReply = true,
        };
    }

    /// <summary>Reads on, up to so many bytes; fewer where there are no more now.</summary>
    public static async Task<byte[]> ReadFileAsync(
        this GuestAgentSession session, long handle, int count, CallOptions call, CancellationToken cancellationToken)
    {
        var arguments = new OrderedDictionary { ["handle"] = handle, ["count"] = count };
        return (await session.InvokeAsync(
            new GuestAgentRequest("guest-file-read", ArgumentWriter.Prepare("guest-file-read", arguments)),
            static (ref Utf8JsonReader reader) => Bytes(JsonElement.ParseValue(ref reader)),
            call, cancellationToken).ConfigureAwait(false))!;
    }

    /// <summary>Closes a file.</summary>
    public static Task CloseFileAsync(
        this GuestAgentSession session, long handle, CallOptions call, CancellationToken cancellationToken) =>
        session.InvokeAsync(
            new GuestAgentRequest(
                "guest-file-close", ArgumentWriter.Prepare("guest-file-close", new OrderedDictionary { ["handle"] = handle })),
            call, cancellationToken);

    // Windows' agent leaves the member out where there is nothing.
    private static byte[] Bytes(JsonElement reply) =>
        reply.TryGetProperty("buf-b64", out var data) && data.ValueKind == JsonValueKind.String ? data.GetBytesFromBase64() : [];
}
