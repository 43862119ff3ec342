using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent;

/// <summary>A guest that a cmdlet works on, from a session or from an endpoint opened for one command.</summary>
/// <param name="Name">Its name, for PSGuestName and messages.</param>
/// <param name="Session">The session with its agent.</param>
/// <param name="UserSession">The user's session object, or null if an endpoint was opened for one command.</param>
internal sealed record Guest(string Name, GuestAgentSession Session, AgentSession? UserSession);
