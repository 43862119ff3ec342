using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations.Freezing;

/// <summary>
/// The freeze of one guest. What became of a freeze or a thaw whose reply is lost is asked for until it is known; in doubt there is a
/// thaw more, which harms nothing.
/// </summary>
internal sealed class GuestFreeze(GuestAgentSession session, FreezeOptions options, Action<TraceEvent>? trace)
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(100);

    private readonly GuestAgentRequest _freeze = FreezeCommands.FreezeRequest(options.MountPoints);
    private long? _since;
    private int? _frozenCount;

    public GuestAgentSession Session => session;

    /// <summary>Whether a freeze was sent that may have frozen something.</summary>
    public bool MayBeFrozen => _since is not null;

    /// <summary>Makes sure that the agent is there, and would thaw what it freezes.</summary>
    public async Task PrepareAsync(OperationTime time, CancellationToken cancellationToken)
    {
        await session.SynchronizeAsync(time.Command(), cancellationToken).ConfigureAwait(false);
        if (session.Agent is not { } agent || !agent.Commands.TryGetValue(FreezeCommands.Thaw, out var thaw) || !thaw.Enabled)
        {
            throw ErrorCatalogue.ThawNotAllowed.With(session.Endpoint);
        }

        try
        {
            if (await session.GetFreezeStatusAsync(time.Command(), cancellationToken).ConfigureAwait(false))
            {
                throw ErrorCatalogue.GuestFrozen.With(_freeze.Command, session.Endpoint);
            }
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.AgentError))
        {
            throw NotSupported(e);
        }
    }

    /// <summary>Freezes the guest. Where this fails it may be frozen nevertheless: see <see cref="MayBeFrozen"/>.</summary>
    public async Task FreezeAsync(OperationTime time, CancellationToken cancellationToken)
    {
        _since = session.Clock.GetTimestamp();
        try
        {
            var reply = await session.InvokeAsync(_freeze, time.Rest(), cancellationToken).ConfigureAwait(false);
            _frozenCount = FreezeCommands.CountOf(reply)
                ?? throw ErrorCatalogue.ReplyUnexpected.With(_freeze.Command, session.Endpoint, "it is not a number.");
        }
        catch (GuestAgentException e) when (e.AgentErrorClass is not null && e.ErrorId != ErrorCatalogue.AgentError.Id)
        {
            // Refused before anything was done: if somebody else froze the guest meanwhile, it is not ours to thaw.
            _since = null;
            throw;
        }
        catch (GuestAgentException e) when (e.AgentErrorClass is null)
        {
            await SettleFreezeAsync(e, cancellationToken).ConfigureAwait(false);
        }

        // There may be hooks to undo anyway.
        session.IsFrozen = true;
        if (_frozenCount == 0)
        {
            throw ErrorCatalogue.NothingFrozen.With(session.Endpoint);
        }
    }

    /// <summary>Thaws the guest. Fails only if the caller cancels.</summary>
    public async Task<FreezeOutcome> ThawAsync(CancellationToken cancellationToken)
    {
        var time = Settling();
        GuestAgentRequest? sent = null;
        try
        {
            return await AskUntilKnownAsync(
                async () =>
                {
                    var (earlier, isRepeated) = (sent?.LateReply, sent is not null);
                    try
                    {
                        if (earlier is not null)
                        {
                            return Thawed(earlier.Error is null ? FreezeCommands.CountOf(earlier.Result) : throw earlier.Error, isRepeated);
                        }

                        sent = FreezeCommands.ThawRequest();
                        var reply = await session.InvokeAsync(sent, Attempt(time), cancellationToken).ConfigureAwait(false);
                        return Thawed(FreezeCommands.CountOf(reply), isRepeated);
                    }
                    catch (GuestAgentException e) when (e.AgentErrorClass is not null)
                    {
                        sent = null;
                        return await RefusedAsync(e, time, cancellationToken).ConfigureAwait(false);
                    }
                },
                time, cancellationToken).ConfigureAwait(false);
        }
        catch (GuestAgentException e)
        {
            var isLeft = await LeaveThawAsync().ConfigureAwait(false);
            return Outcome(
                FreezeResult.LeftFrozen, null,
                ErrorCatalogue.GuestLeftFrozen.Because(e, session.Endpoint, e.Message, isLeft
                    ? "A final guest-fsfreeze-thaw was left in the channel for it."
                    : "No guest-fsfreeze-thaw could be left in the channel for it."));
        }
    }

    private FreezeOutcome Thawed(int? count, bool isRepeated)
    {
        session.IsFrozen = false;
        return count > 0 ? Outcome(FreezeResult.Consistent, count)
            : isRepeated || count is null
                ? Outcome(FreezeResult.ThawReplyLost, count, ErrorCatalogue.ThawReplyLost.With(session.Endpoint))
                : Outcome(FreezeResult.ThawedEarly, count, ErrorCatalogue.ThawedEarly.With(session.Endpoint));
    }

    private async Task<FreezeOutcome> RefusedAsync(GuestAgentException refusal, OperationTime time, CancellationToken cancellationToken)
    {
        // What it is like now tells. Still frozen: the thaw is tried again.
        try
        {
            if (await session.GetFreezeStatusAsync(Attempt(time), cancellationToken).ConfigureAwait(false))
            {
                throw refusal;
            }
        }
        catch (GuestAgentException e) when (e != refusal && e.Is(ErrorCatalogue.AgentError))
        {
            return Outcome(FreezeResult.NotFrozen, null, NotSupported(e));
        }

        var platform = await GuestPlatform.FindAsync(session, time, cancellationToken).ConfigureAwait(false);
        return FrozenFor >= platform.FreezeLimit
            ? Outcome(FreezeResult.WindowsFreezeLimit, null, ErrorCatalogue.WindowsFreezeLimit.Because(refusal, session.Endpoint))
            : Outcome(
                FreezeResult.ThawFailed, null, ErrorCatalogue.ThawFailed.Because(refusal, session.Endpoint, refusal.AgentErrorText));
    }

    // An agent that fails to say whether its guest is frozen cannot freeze it: Windows' without the shadow copy service.
    private GuestAgentException NotSupported(GuestAgentException refusal) =>
        ErrorCatalogue.FreezeNotSupported.Because(refusal, session.Endpoint, refusal.AgentErrorText);

    private FreezeOutcome Outcome(FreezeResult result, int? thawed, GuestAgentException? error = null) =>
        new(session, result, _frozenCount, thawed, FrozenFor, error);

    private async Task SettleFreezeAsync(GuestAgentException lost, CancellationToken cancellationToken)
    {
        var time = Settling();
        var isFrozen = await AskUntilKnownAsync(
            () => session.GetFreezeStatusAsync(Attempt(time), cancellationToken), time, cancellationToken).ConfigureAwait(false);
        if (_freeze.LateReply?.Error is { } refusal)
        {
            throw refusal;
        }

        if (!isFrozen)
        {
            throw lost;
        }

        _frozenCount = _freeze.LateReply is { } late ? FreezeCommands.CountOf(late.Result) : null;
    }

    // Asks again and again, in sync each time: what was sent before has been answered, or never will be. That also opens a broken
    // channel again.
    private async Task<T> AskUntilKnownAsync<T>(Func<Task<T>> ask, OperationTime time, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                if (session.State != GuestAgentSessionState.Ready)
                {
                    await session.SynchronizeAsync(Attempt(time), cancellationToken).ConfigureAwait(false);
                }

                return await ask().ConfigureAwait(false);
            }
            catch (GuestAgentException e) when (e.ErrorId != ErrorCatalogue.SessionClosed.Id && !time.IsOver)
            {
                await time.DelayAsync(RetryPause, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    // An agent that is busy, or comes back later, finds it.
    private async Task<bool> LeaveThawAsync()
    {
        try
        {
            await session.PostAsync(
                new GuestAgentRequest(FreezeCommands.Thaw), new CallOptions { Timeout = options.AttemptTime, Trace = trace }).ConfigureAwait(false);
            return true;
        }
        catch (GuestAgentException)
        {
            return false;
        }
    }

    private TimeSpan FrozenFor => _since is { } since ? session.Clock.GetElapsedTime(since) : TimeSpan.Zero;

    private OperationTime Settling() => new(session.Clock, new CallOptions { Timeout = options.SettleTime, Trace = trace });

    private CallOptions Attempt(OperationTime time) => time.Attempt(options.AttemptTime);
}
