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
}
