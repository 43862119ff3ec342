using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent;

/// <summary>A guest that a cmdlet works on: one of a session, or of an endpoint opened for one command.</summary>
/// <param name="Name">Its name, for PSGuestName and texts.</param>
/// <param name="Channel">The way to its agent.</param>
/// <param name="Session">The user's session, or null where an endpoint was opened for this once.</param>
internal sealed record Guest(string Name, GuestAgentSession Channel, AgentSession? Session);
