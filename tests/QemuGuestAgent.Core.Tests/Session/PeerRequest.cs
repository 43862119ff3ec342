using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>One request as the peer received it, its LF included.</summary>
internal sealed class PeerRequest
{
    private readonly JsonElement _json;

    public PeerRequest(byte[] raw)
    {
        Raw = raw;
        HasSentinel = raw[0] == 0xFF;
        _json = JsonDocument.Parse(raw.AsMemory(HasSentinel ? 1 : 0)).RootElement;
    }

    public byte[] Raw { get; }

    public string Text => Encoding.Latin1.GetString(Raw);

    public bool HasSentinel { get; }

    public string Command => _json.GetProperty("execute").GetString()!;

    public JsonElement Arguments => _json.GetProperty("arguments");

    public bool IsSync => Command is "guest-sync-delimited" or "guest-sync";

    /// <summary>The id of a sync.</summary>
    public long SyncId => Arguments.GetProperty("id").GetInt64();

    /// <summary>The id of the request itself, or null.</summary>
    public long? Id => _json.TryGetProperty("id", out var id) ? id.GetInt64() : null;

    /// <summary>Waits for the next request; null once the client has closed.</summary>
    /// <param name="requests">What the client sends.</param>
    public static async Task<PeerRequest?> TryReadAsync(PipeReader requests)
    {
        while (true)
        {
            var result = await requests.ReadAsync();
            if (FindEnd(result.Buffer) is { } end)
            {
                var request = new PeerRequest(result.Buffer.Slice(0, end).ToArray());
                requests.AdvanceTo(end);
                return request;
            }

            requests.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            if (result.IsCompleted)
            {
                return null;
            }
        }
    }

    // Of the request itself, for a long one has no LF behind it.
    private static SequencePosition? FindEnd(in ReadOnlySequence<byte> bytes)
    {
        var start = bytes.PositionOf((byte)'{') ?? bytes.End;
        var reader = new Utf8JsonReader(bytes.Slice(start), isFinalBlock: false, default);
        if (!reader.Read() || !reader.TrySkip())
        {
            return null;
        }

        var rest = bytes.Slice(bytes.GetPosition(reader.BytesConsumed, start));
        return rest.IsEmpty || rest.FirstSpan[0] != (byte)'\n' ? rest.Start : rest.GetPosition(1);
    }
}
