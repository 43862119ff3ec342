using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Schema;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations.Health;

/// <summary>How an agent is.</summary>
public enum AgentVerdict
{
    /// <summary>It takes commands.</summary>
    Ready,

    /// <summary>It answers, but the guest's file systems are frozen, and it refuses most commands.</summary>
    Frozen,

    /// <summary>It, or the channel, has something else to do.</summary>
    Busy,

    /// <summary>The channel is open, and nothing answers.</summary>
    Silent,

    /// <summary>Something else answers.</summary>
    NotAnAgent,

    /// <summary>Nothing listens: the virtual machine does not run.</summary>
    NoListener,

    /// <summary>The operating system refuses access to the channel.</summary>
    NotPermitted,

    /// <summary>The session is closed.</summary>
    Closed,

    /// <summary>Something else is wrong: see the error.</summary>
    Failed,
}

/// <summary>What an examination of an agent showed.</summary>
public sealed class AgentHealth(
    AgentVerdict verdict, TimeSpan? roundTrip, string? agentVersion, string[] disabledCommands, GuestAgentException? error)
{
    /// <summary>Its state.</summary>
    public AgentVerdict Verdict { get; } = verdict;

    /// <summary>The time from a ping to its answer, or null.</summary>
    public TimeSpan? RoundTrip { get; } = roundTrip;

    /// <summary>The agent's version, as it says, or null.</summary>
    public string? AgentVersion { get; } = agentVersion;

    /// <summary>The commands that its policy disables and cmdlets need; not told of a frozen guest.</summary>
    public string[] DisabledCommands { get; } = disabledCommands;

    /// <summary>The id of the error for which it is neither ready nor frozen, or null.</summary>
    public string? ErrorId => Error?.ErrorId;

    /// <summary>Whether it takes commands.</summary>
    public bool IsReady => Verdict == AgentVerdict.Ready;

    /// <summary>Why it is not ready, or null.</summary>
    public string? Reason => Error?.Message
        ?? (Verdict == AgentVerdict.Frozen ? "The guest's file systems are frozen: its agent refuses most commands." : null);

    /// <summary>What to do about that, or null.</summary>
    public string? RecommendedAction => Error?.RecommendedAction
        ?? (Verdict == AgentVerdict.Frozen ? "Thaw them with Resume-QemuGuestFileSystem, if no snapshot is in progress." : null);

    internal GuestAgentException? Error { get; } = error;

    /// <summary>Its state.</summary>
    public override string ToString() => $"{Verdict}";

    /// <summary>Examines the agent of an endpoint, which is opened for it.</summary>
    /// <param name="endpoint">The endpoint of the agent.</param>
    /// <param name="call">Time limit for the whole operation, and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async Task<AgentHealth> ExamineAsync(
        GuestAgentEndpoint endpoint, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        try
        {
            using var session = await GuestAgentSession.ConnectAsync(endpoint, null, call, cancellationToken).ConfigureAwait(false);
            return await ExamineAsync(session, call, cancellationToken).ConfigureAwait(false);
        }
        catch (GuestAgentException e)
        {
            return Of(e);
        }
    }

    /// <summary>Examines the agent of a session, and gets in sync with it.</summary>
    /// <param name="session">The session.</param>
    /// <param name="call">Time limit for the whole operation, and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation; the session stays usable.</param>
    public static async Task<AgentHealth> ExamineAsync(
        GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        try
        {
            var time = new OperationTime(session.Clock, call);
            await session.SynchronizeAsync(time.Rest(), cancellationToken).ConfigureAwait(false);
            var sent = session.Clock.GetTimestamp();
            await session.InvokeAsync(new GuestAgentRequest("guest-ping"), time.Rest(), cancellationToken)
                .OrDefaultIfRefused().ConfigureAwait(false);
            var roundTrip = session.Clock.GetElapsedTime(sent);
            var isFrozen = await session.GetFreezeStatusAsync(time.Rest(), cancellationToken).OrDefaultIfRefused().ConfigureAwait(false);
            return new AgentHealth(
                isFrozen ? AgentVerdict.Frozen : AgentVerdict.Ready, roundTrip,
                session.Agent?.Version, isFrozen ? [] : DisabledIn(session.Agent), null);
        }
        catch (GuestAgentException e)
        {
            return Of(e);
        }
    }

    private static string[] DisabledIn(GuestAgentInfo? agent) => agent is null ? [] :
    [
        .. agent.Commands.Values
            .Where(command => !command.Enabled && CommandSchema.Find(command.Name) is { } known && known.Cmdlet != CommandSchema.Invoke)
            .Select(command => command.Name)
            .OrderBy(name => name, StringComparer.Ordinal),
    ];

    private static AgentHealth Of(GuestAgentException error) => new(
        error.ErrorId switch
        {
            nameof(ErrorCatalogue.AgentSilent) => AgentVerdict.Silent,
            nameof(ErrorCatalogue.AgentBusy) or nameof(ErrorCatalogue.SessionBusy) or nameof(ErrorCatalogue.EndpointBacklogFull)
                or nameof(ErrorCatalogue.EndpointInUse) or nameof(ErrorCatalogue.CommandTimedOut) => AgentVerdict.Busy,
            nameof(ErrorCatalogue.NotAnAgent) or nameof(ErrorCatalogue.EndpointEchoes) => AgentVerdict.NotAnAgent,
            nameof(ErrorCatalogue.EndpointNotFound) or nameof(ErrorCatalogue.EndpointRefused) or nameof(ErrorCatalogue.EndpointUnreachable)
                or nameof(ErrorCatalogue.EndpointHostNotFound) or nameof(ErrorCatalogue.EndpointTimedOut)
                or nameof(ErrorCatalogue.ConnectionLost) => AgentVerdict.NoListener,
            nameof(ErrorCatalogue.EndpointAccessDenied) => AgentVerdict.NotPermitted,
            nameof(ErrorCatalogue.SessionClosed) => AgentVerdict.Closed,
            _ => AgentVerdict.Failed,
        },
        null, null, [], error);
}
