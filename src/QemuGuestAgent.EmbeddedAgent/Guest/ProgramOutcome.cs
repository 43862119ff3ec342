namespace QemuGuestAgent.EmbeddedAgent.Guest;

/// <summary>What a program leaves behind.</summary>
internal sealed record ProgramOutcome(int ExitCode, byte[] Output, byte[] Errors, TimeSpan Duration = default);
