using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent;

/// <summary>A guest that a cmdlet works on: one of a session, or of an endpoint opened for one command.</summary>
/// <param name="Name">Its name, for PSGuestName and texts.</param>
/// <param name="Session">The session with its agent.</param>
/// <param name="UserSession">The same as the user has it, or null where an endpoint was opened for one command.</param>
internal sealed record Guest(string Name, GuestAgentSession Session, AgentSession? UserSession);
