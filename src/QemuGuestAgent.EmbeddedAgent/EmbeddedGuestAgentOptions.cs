using System.Text.Json;
using System.Text.Json.Nodes;

namespace QemuGuestAgent.EmbeddedAgent;

/// <summary>What an embedded agent and its guest are like: by default a healthy agent of our day in a Linux guest.</summary>
public sealed record EmbeddedGuestAgentOptions
{
    /// <summary>The version that <c>guest-info</c> returns.</summary>
    public string Version { get; init; } = "11.1.0";

    /// <summary>
    /// Whether replies carry the request's <c>id</c>; if not, a request that has one is refused, as before QEMU 4.0.
    /// </summary>
    public bool EchoesRequestIds { get; init; } = true;

    /// <summary>Whether there is a command <c>guest-sync-delimited</c>.</summary>
    public bool KnowsDelimitedSync { get; init; } = true;

    /// <summary>Commands that the agent's configuration does not allow.</summary>
    public IReadOnlyCollection<string> BlockedCommands { get; init; } = [];

    /// <summary>How long the agent takes for every reply.</summary>
    public TimeSpan ReplyDelay { get; init; }

    /// <summary>How much longer it takes for certain commands.</summary>
    public IDictionary<string, TimeSpan> CommandDelays { get; init; } = new Dictionary<string, TimeSpan>();

    /// <summary>
    /// Commands added or replaced: each takes the request's arguments and gives the value to return, or throws an
    /// <see cref="EmbeddedCommandException"/>.
    /// </summary>
    public IDictionary<string, Func<JsonElement, JsonNode?>> Commands { get; init; } =
        new Dictionary<string, Func<JsonElement, JsonNode?>>();

    /// <summary>The guest's operating system.</summary>
    public EmbeddedGuestOS GuestOS { get; init; }

    /// <summary>The guest's host name.</summary>
    public string HostName { get; init; } = "embedded";

    /// <summary>How many bytes the guest's file system holds before writes fail.</summary>
    public long DiskSize { get; init; } = 1 << 30;

    /// <summary>How long a reboot, or a suspend until the guest wakes, keeps the guest silent.</summary>
    public TimeSpan BootDelay { get; init; }

    /// <summary>The guest's clock, and what delays are measured with.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>The simulated faults of the agent or its channel.</summary>
    public EmbeddedAgentFaults Faults { get; init; } = new();
}
