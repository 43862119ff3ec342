using QemuGuestAgent.Core.Endpoints;

namespace QemuGuestAgent;

/// <summary>A guest that a cmdlet is to work on: through an open session, or through an endpoint that is opened for it.</summary>
/// <param name="Text">As it was given: the session's name, or the text of the endpoint.</param>
/// <param name="Name">The guest's name.</param>
/// <param name="Session">The open session, or null.</param>
/// <param name="Endpoint">The endpoint, or null where there is a session.</param>
internal sealed record GuestTarget(string Text, string Name, AgentSession? Session, GuestAgentEndpoint? Endpoint)
{
    /// <summary>The guest of an open session.</summary>
    public GuestTarget(AgentSession session)
        : this(session.Name, session.Name, session, null)
    {
    }

    /// <summary>The host that ssh or libvirt reaches it through; null where that is this computer.</summary>
    public string? HostName => Session is null ? Endpoint?.HostName : Session.HostName;

    /// <summary>What it is called where guests of other hosts may have the same name.</summary>
    public string FullName => AgentSession.FullNameOf(Name, HostName);

    /// <summary>The target of its errors.</summary>
    public object ErrorTarget => (object?)Session ?? Text;

    /// <summary>As it was given.</summary>
    public override string ToString() => Text;
}
