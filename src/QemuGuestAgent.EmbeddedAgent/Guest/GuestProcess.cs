namespace QemuGuestAgent.EmbeddedAgent.Guest;

/// <summary>A process of the guest: its outcome is known from the start, the time of its end too.</summary>
internal sealed class GuestProcess(ProgramOutcome outcome, DateTimeOffset endsAt)
{
    public ProgramOutcome Outcome { get; } = outcome;

    /// <summary>The signal that killed it.</summary>
    public int? Signal { get; private set; }

    public bool HasExited(DateTimeOffset now) => Signal is not null || now >= endsAt;

    public void Kill(int signal) => Signal = signal;
}
