using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent;

/// <summary>A guest that a cmdlet works on, from a session or from an endpoint opened for one command.</summary>
/// <param name="Target">The guest as it was given.</param>
/// <param name="Session">The session with its agent.</param>
internal sealed record Guest(GuestTarget Target, GuestAgentSession Session)
{
    /// <summary>Its name, for PSGuestName and messages.</summary>
    public string Name => Target.Name;

    /// <summary>The user's session object, or null if an endpoint was opened for one command.</summary>
    public AgentSession? UserSession => Target.Session;
}
