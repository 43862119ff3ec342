using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>Where an agent's channel is, and how to open it. Immutable; its text reads back to an equal endpoint.</summary>
public abstract class GuestAgentEndpoint
{
    /// <summary>Opens the channel: a stream of bytes to and from the agent, closed by disposing it.</summary>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="Errors.GuestAgentException">The endpoint cannot be opened; one of the <c>Endpoint…</c> errors.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public abstract Task<Stream> OpenAsync(CancellationToken cancellationToken);

    /// <summary>What a careful user should know before using this endpoint, or null.</summary>
    public virtual string? SecurityWarning => null;

    /// <summary>The host that ssh or libvirt reaches it through; null where that is this computer.</summary>
    public virtual string? HostName => null;

    /// <summary>What the channel is called by all who would share it, where only one may use it at a time; else null.</summary>
    internal virtual string? LockName => null;

    /// <summary>Whether long replies do not come through: much is read by pieces then.</summary>
    internal virtual bool BoundsReplies => false;

    /// <summary>Errors that come as replies although no agent has sent them, by what stands for their class.</summary>
    internal virtual IReadOnlyDictionary<string, ErrorDefinition> TransportErrors { get; } = new Dictionary<string, ErrorDefinition>();

    /// <summary>The endpoint in the grammar of <see cref="EndpointGrammar"/>.</summary>
    public abstract override string ToString();
}
