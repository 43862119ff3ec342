using QemuGuestAgent.Core.Endpoints.Finding;

namespace QemuGuestAgent;

/// <summary>What is given in place of a session. A <see cref="GuestLookup"/> finds the guest that it means before anything is done with it.</summary>
internal sealed class NamedGuest : AgentSession
{
    /// <summary>A text that a user has given: a name with or without wildcards, or an endpoint.</summary>
    public NamedGuest(string text)
        : base(text) => IsText = true;

    private NamedGuest(string name, string? endpoint)
        : base(name) => ObjectEndpoint = endpoint;

    /// <summary>Whether it is a text that a user has given, and not what an object says: that has no wildcards, and starts no program.</summary>
    public bool IsText { get; }

    /// <summary>The endpoint that an object says; null where it says a name only.</summary>
    public string? ObjectEndpoint { get; }

    /// <summary>Whether the name is one that this module gave the guest.</summary>
    public bool IsMarked { get; private init; }

    /// <summary>The channel of this host, where it is one that Find-QemuGuestAgent wrote.</summary>
    public FoundChannel? Channel { get; private init; }

    /// <summary>A channel that Find-QemuGuestAgent wrote.</summary>
    public static NamedGuest OfChannel(FoundChannel channel) => new(channel.Name, channel.Endpoint) { Channel = channel };

    /// <summary>The host where the guest is that a mark names, where that is another one.</summary>
    public string? MarkedHost { get; private init; }

    /// <summary>What has the name of a guest by this module. Its endpoint counts only where it belongs to that name.</summary>
    public static NamedGuest OfMark(string name, string? hostName, string? endpoint) =>
        new(name, endpoint) { IsMarked = true, MarkedHost = hostName };

    /// <summary>An object with an endpoint.</summary>
    public static NamedGuest OfEndpoint(string endpoint) => new(endpoint, endpoint);

    /// <summary>An object with a name.</summary>
    public static NamedGuest OfName(string name) => new(name, null);
}
