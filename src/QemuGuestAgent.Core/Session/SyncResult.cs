namespace QemuGuestAgent.Core.Session;

/// <summary>What a synchronisation did.</summary>
/// <param name="Id">The id that the agent repeated: random, 63 bits.</param>
/// <param name="IsDelimited">
/// Whether the agent answers guest-sync-delimited; else plain guest-sync was used, or, where its policy forbids both, the agent's error
/// for a command that does not exist, whose name contains the id.
/// </param>
/// <param name="BytesDiscarded">Bytes thrown away before the agent's answer.</param>
/// <param name="RepliesDiscarded">
/// Lines thrown away, whole or cut off. One is usual: the agent answers the byte 0xFF that flushes its parser with an error line.
/// </param>
/// <param name="Duration">How long it took.</param>
public sealed record SyncResult(long Id, bool IsDelimited, long BytesDiscarded, int RepliesDiscarded, TimeSpan Duration);
