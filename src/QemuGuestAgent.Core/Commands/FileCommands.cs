using System.Collections.Specialized;
using System.Text.Json;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Commands;

/// <summary>The commands for files. An open file stays open in the agent until it is closed, by any client.</summary>
internal static class FileCommands
{
    /// <summary>The request that opens a file; its reply is the handle, a number.</summary>
    /// <param name="path">The path of the file in the guest.</param>
    /// <param name="mode">One of fopen's modes.</param>
    /// <exception cref="Errors.GuestAgentException">ArgumentTextInvalid.</exception>
    public static GuestAgentRequest OpenRequest(string path, string mode)
    {
        ProcessCommands.CheckEnds("path", path);
        var arguments = new OrderedDictionary { ["path"] = path, ["mode"] = mode };
        return new GuestAgentRequest("guest-file-open", arguments)
        {
            KeepsLateReply = true,
        };
    }

    /// <summary>Reads on, up to a number of bytes; returns how many. Fewer come where there are no more now.</summary>
    public static Task<int> ReadFileAsync(
        this GuestAgentSession session, long handle, byte[] buffer, int count, CallOptions call, CancellationToken cancellationToken) =>
        session.InvokeAsync(
            new GuestAgentRequest("guest-file-read", json =>
            {
                json.WriteStartObject();
                json.WriteNumber("handle"u8, handle);
                json.WriteNumber("count"u8, count);
                json.WriteEndObject();
            }),
            (ref Utf8JsonReader reader) => ReadBytes(ref reader, buffer.AsSpan(0, count)),
            call, cancellationToken);

    /// <summary>Writes on; returns how many bytes the agent has taken, which may be fewer.</summary>
    public static Task<long> WriteFileAsync(
        this GuestAgentSession session, long handle, ReadOnlyMemory<byte> bytes, CallOptions call, CancellationToken cancellationToken) =>
        session.InvokeAsync(
            new GuestAgentRequest("guest-file-write", json =>
            {
                json.WriteStartObject();
                json.WriteNumber("handle"u8, handle);
                json.WriteBase64String("buf-b64"u8, bytes.Span);
                json.WriteEndObject();
            }),
            static (ref Utf8JsonReader reader) => RequiredNumber(ref reader, "count"),
            call, cancellationToken);

    /// <summary>Moves to a position; returns which, in bytes from the start.</summary>
    public static Task<long> SeekFileAsync(
        this GuestAgentSession session, long handle, long offset, string whence, CallOptions call,
        CancellationToken cancellationToken)
    {
        var arguments = new OrderedDictionary { ["handle"] = handle, ["offset"] = offset, ["whence"] = whence };
        return session.InvokeAsync(
            new GuestAgentRequest("guest-file-seek", arguments),
            static (ref Utf8JsonReader reader) => RequiredNumber(ref reader, "position"),
            call, cancellationToken);
    }

    /// <summary>Has the guest write what the agent still holds back of a file. A full disk may show only here.</summary>
    public static Task FlushFileAsync(
        this GuestAgentSession session, long handle, CallOptions call, CancellationToken cancellationToken) =>
        session.InvokeAsync(OnHandle("guest-file-flush", handle), call, cancellationToken);

    /// <summary>Closes a file. A full disk may show only here.</summary>
    public static Task CloseFileAsync(
        this GuestAgentSession session, long handle, CallOptions call, CancellationToken cancellationToken) =>
        session.InvokeAsync(OnHandle("guest-file-close", handle), call, cancellationToken);

    private static GuestAgentRequest OnHandle(string command, long handle) =>
        new(command, ArgumentWriter.Prepare(command, new OrderedDictionary { ["handle"] = handle }));

    private static long RequiredNumber(ref Utf8JsonReader reader, string member) =>
        JsonElement.ParseValue(ref reader).Number(member) ?? throw new FormatException($"it has no {member}.");

    // Windows' agent leaves the member out where there is nothing.
    private static int ReadBytes(ref Utf8JsonReader reader, Span<byte> destination)
    {
        var length = 0;
        var depth = reader.CurrentDepth + 1;
        while (reader.Read() && reader.CurrentDepth == depth && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isData = reader.ValueTextEquals("buf-b64"u8);
            reader.Read();
            if (isData)
            {
                length = Base64Value.Read(ref reader, destination);
            }
            else
            {
                reader.Skip();
            }
        }

        return length;
    }
}
