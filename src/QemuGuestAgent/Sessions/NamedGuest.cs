namespace QemuGuestAgent;

/// <summary>A text in place of a session. A <see cref="GuestLookup"/> finds the guest that it means before anything is done with it.</summary>
internal sealed class NamedGuest(string text) : AgentSession(text);
