namespace QemuGuestAgent.EmbeddedAgent;

/// <summary>The simulated faults of an embedded agent or its channel. None by default.</summary>
/// <remarks>Command replies are all replies but those to the two sync commands and to what is no command at all.</remarks>
public sealed record EmbeddedAgentFaults
{
    /// <summary>Commands that are carried out and never answered; <c>*</c> for all.</summary>
    public IReadOnlyCollection<string> SilentCommands { get; init; } = [];

    /// <summary>Commands that are carried out but whose first replies, of this number, are lost.</summary>
    public IDictionary<string, int> LostReplies { get; init; } = new Dictionary<string, int>();

    /// <summary>The command that is answered with a line that does not end while the client stays.</summary>
    public string? EndlessLine { get; init; }

    /// <summary>Bytes sent unchanged instead of the reply to a command.</summary>
    public IDictionary<string, byte[]> RawReplies { get; init; } = new Dictionary<string, byte[]>();

    /// <summary>Bytes that wait for the first client: stale replies or garbage, sent before anything else.</summary>
    public ReadOnlyMemory<byte> OnConnectBytes { get; init; }

    /// <summary>Bytes sent before each reply, of whatever kind.</summary>
    public ReadOnlyMemory<byte> ReplyPrefix { get; init; }

    /// <summary>The client receives at most this many bytes at once; 0 for no limit.</summary>
    public int ChunkSize { get; init; }

    /// <summary>Every such command reply comes as its first half, 0xFF and the whole reply; 0 for none.</summary>
    public int SentinelInsideReply { get; init; }

    /// <summary>The number of the command reply in whose middle the agent dies and is started again; 0 for none.</summary>
    public int DiesMidReply { get; init; }

    /// <summary>The channel is a terminal with echo: whatever the agent receives is also sent back.</summary>
    public bool EchoesInput { get; init; }
}
