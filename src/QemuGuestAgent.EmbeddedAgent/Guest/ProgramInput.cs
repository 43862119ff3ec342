namespace QemuGuestAgent.EmbeddedAgent.Guest;

/// <summary>What a program is started with.</summary>
internal sealed record ProgramInput(
    IReadOnlyList<string> Arguments,
    IReadOnlyList<string> Environment,
    byte[] Input,
    GuestMachine Machine,
    IReadOnlyDictionary<long, GuestProcess> Processes);
