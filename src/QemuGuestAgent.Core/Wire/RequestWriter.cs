using System.Buffers;
using System.Text.Json;

namespace QemuGuestAgent.Core.Wire;

/// <summary>Writes requests as the agent reads them: one JSON object, followed by LF where that is safe, using only the serializer.</summary>
internal static class RequestWriter
{
    /// <summary>
    /// The agent's parser accepts less than 64 MiB of tokens per message; beyond that the stream is out of sync until a 0xFF (QEMU json-streamer.c).
    /// </summary>
    public const int MaxRequestBytes = (64 << 20) - 1;

    /// <summary>The maximum depth of arguments: the agent accepts 1024 levels, and no command has more than three.</summary>
    public const int MaxDepth = 256;

    /// <summary>The maximum depth of a request, including its envelope.</summary>
    public const int MaxMessageDepth = MaxDepth + 8;

    // The number of bytes that an agent on a serial port reads at once. If it has read bytes after the end of a request, its reply is lost
    // (GIOChannel then wants to seek on the port; seen with 7.2 and 10.0): so no LF follows a longer request. No agent of QEMU's needs it.
    private const int MaxWithLineFeed = 4000;

    private static readonly JsonEncodedText Execute = JsonEncodedText.Encode("execute");
    private static readonly JsonEncodedText Arguments = JsonEncodedText.Encode("arguments");
    private static readonly JsonEncodedText IdName = JsonEncodedText.Encode("id");

    /// <summary>Writes a request.</summary>
    /// <param name="output">The buffer to write to.</param>
    /// <param name="command">The command's name.</param>
    /// <param name="writeArguments">Writes the object of arguments, or null for none.</param>
    /// <param name="id">The request's id, for an agent that echoes it; otherwise null.</param>
    public static void Write(RequestBuffer output, string command, Action<Utf8JsonWriter>? writeArguments, long? id)
    {
        var json = output.StartJson();
        json.WriteStartObject();
        json.WriteString(Execute, command);
        if (writeArguments is not null)
        {
            json.WritePropertyName(Arguments);
            writeArguments(json);
        }

        if (id is { } number)
        {
            json.WriteNumber(IdName, number);
        }

        json.WriteEndObject();
        json.Flush();
        if (json.BytesCommitted <= MaxWithLineFeed)
        {
            output.Write("\n"u8);
        }
    }

    /// <summary>
    /// Writes a sync request. The byte 0xFF goes first, so that the agent drops a request that an earlier client left half sent (rule S1).
    /// It has no top-level id: agents before QEMU 4.0 refuse a request that has one.
    /// </summary>
    public static void WriteSync(RequestBuffer output, string command, long id)
    {
        output.Write([FrameDecoder.Sentinel]);
        Write(output, command, json =>
        {
            json.WriteStartObject();
            json.WriteNumber(IdName, id);
            json.WriteEndObject();
        }, id: null);
    }
}
