namespace QemuGuestAgent;

/// <summary>The result of Sync-QemuGuestAgent.</summary>
public sealed class AgentSyncResult
{
    internal AgentSyncResult(AgentSession session, Core.Session.SyncResult result)
    {
        PSGuestName = session.Name;
        PSHostName = session.HostName;
        Id = result.Id;
        IsDelimited = result.IsDelimited;
        BytesDiscarded = result.BytesDiscarded;
        RepliesDiscarded = result.RepliesDiscarded;
        Duration = result.Duration;
    }

    /// <summary>The name of the session.</summary>
    public string PSGuestName { get; }

    /// <summary>The host that ssh or libvirt reaches the guest through; null where that is this computer.</summary>
    public string? PSHostName { get; }

    /// <summary>The random id that the agent echoed.</summary>
    public long Id { get; }

    /// <summary>Whether guest-sync-delimited was used; false for agents that support only guest-sync.</summary>
    public bool IsDelimited { get; }

    /// <summary>Bytes discarded before the agent's reply.</summary>
    public long BytesDiscarded { get; }

    /// <summary>Replies discarded, complete or truncated. One is normal: the error with which the agent answers the flush byte 0xFF.</summary>
    public int RepliesDiscarded { get; }

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; }

    /// <summary>The name of the session.</summary>
    public override string ToString() => PSGuestName;
}
