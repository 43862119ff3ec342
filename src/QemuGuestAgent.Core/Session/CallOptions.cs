namespace QemuGuestAgent.Core.Session;

/// <summary>What one call of a session may take, and who watches it.</summary>
public sealed record CallOptions
{
    /// <summary>The time for the whole call, its wait for earlier ones and a synchronisation included; 60 seconds. Zero is no limit.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The time of the whole operation, if the call got what was left of that: errors tell what the user has given.</summary>
    internal TimeSpan? OperationTimeout { get; init; }

    /// <summary>Receives trace events, on any thread; null for none.</summary>
    public Action<TraceEvent>? Trace { get; init; }
}
