using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations.Freezing;

/// <summary>
/// Guests that are frozen together for some work, and thawed together whatever happens: when the work ends, when the time is over, when
/// one of their sessions is closed, when this process ends in an orderly way. Where one cannot be frozen none stays so.
/// </summary>
#pragma warning disable CA1001 // The token source is cancelled by the end of every scope, and has no timer or handle.
public sealed class FreezeScope
#pragma warning restore CA1001
{
    private readonly object _lock = new();
    private readonly IReadOnlyList<GuestFreeze> _guests;
    private readonly FreezeOptions _options;
    private readonly OperationTime _time;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _ended = new();
    private readonly TaskCompletionSource<bool> _interruption = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Func<Task> _close;
    private Task<IReadOnlyList<FreezeFailure>> _freezing = Task.FromResult<IReadOnlyList<FreezeFailure>>([]);
    private Task<IReadOnlyList<FreezeOutcome>>? _ending;

    /// <summary>Makes one; nothing is frozen yet.</summary>
    /// <param name="sessions">The sessions with the guests' agents.</param>
    /// <param name="options">How they are frozen; null freezes all file systems, with no time limit.</param>
    /// <param name="call">Time limit for freezing, and trace; null for the defaults.</param>
    /// <exception cref="GuestAgentException">ArgumentTextInvalid: a mount point is no valid text.</exception>
    public FreezeScope(IReadOnlyCollection<GuestAgentSession> sessions, FreezeOptions? options = null, CallOptions? call = null)
    {
        _options = options ?? new FreezeOptions();
        _guests = [.. sessions.Distinct().Select(session => new GuestFreeze(session, _options, call?.Trace))];
        _clock = sessions.First().Clock;
        _time = new OperationTime(_clock, call);
        _close = () => EndAsync(FreezeResult.SessionClosed);
    }

    /// <summary>Ends as soon as the guests are thawed before the work has ended: it is no use any more.</summary>
    public Task Interruption => _interruption.Task;

    /// <summary>Freezes all guests. If that fails, all are thawed again when this returns.</summary>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>Why guests could not be frozen; where there is none all are.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled, and no guest is frozen.</exception>
    public async Task<IReadOnlyList<FreezeFailure>> FreezeAsync(CancellationToken cancellationToken = default)
    {
        Task<IReadOnlyList<FreezeFailure>> freezing;
        lock (_lock)
        {
            freezing = _freezing = Task.Run(() => FreezeAllAsync(cancellationToken), CancellationToken.None);
        }

        var failures = await freezing.ConfigureAwait(false);
        if (failures.Count == 0 && !_ended.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return failures;
        }

        var outcomes = await EndAsync(FreezeResult.WorkFailed).ConfigureAwait(false);
        failures = [.. failures, .. outcomes
            .Where(outcome => outcome.Result is FreezeResult.LeftFrozen or FreezeResult.TimeLimit or FreezeResult.SessionClosed)
            .Select(outcome => new FreezeFailure(outcome.Session, outcome.Error!))];
        return failures.Count > 0 ? failures
            : cancellationToken.IsCancellationRequested ? throw new OperationCanceledException(cancellationToken)
            : [.. _guests.Select(guest => new FreezeFailure(guest.Session, guest.Session.SessionClosed()))];
    }

    /// <summary>Thaws all guests, and returns the outcome of each. It takes no longer than <see cref="FreezeOptions.SettleTime"/>.</summary>
    /// <param name="hasSucceeded">Whether the work for which they were frozen has been done.</param>
    public Task<IReadOnlyList<FreezeOutcome>> ThawAsync(bool hasSucceeded) =>
        EndAsync(hasSucceeded ? FreezeResult.Consistent : FreezeResult.WorkFailed);

    /// <summary>Leaves the guests frozen, to be thawed by another call; there is no time limit any more. Not if they are already thawed.</summary>
    /// <returns>Whether they are left frozen.</returns>
    public bool TryLeaveFrozen()
    {
        lock (_lock)
        {
            if (_ending is not null)
            {
                return false;
            }

            _ending = Task.FromResult<IReadOnlyList<FreezeOutcome>>([]);
        }

        Retire();
        return true;
    }

    private async Task<IReadOnlyList<FreezeFailure>> FreezeAllAsync(CancellationToken caller)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(caller, _ended.Token);
        ProcessEnd.Before(_close);
        var failures = await EachAsync(guest =>
        {
            if (!guest.Session.CleanupActions.TryAdd(_close))
            {
                throw guest.Session.SessionClosed();
            }

            return guest.PrepareAsync(_time, linked.Token);
        }).ConfigureAwait(false);
        if (failures.Count > 0 || linked.IsCancellationRequested)
        {
            return failures;
        }

        _ = LimitAsync();
        return await EachAsync(async guest =>
        {
            try
            {
                await guest.FreezeAsync(_time, linked.Token).ConfigureAwait(false);
            }
            catch (GuestAgentException)
            {
                // The others need not go on.
                linked.Cancel();
                throw;
            }
        }).ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<FreezeFailure>> EachAsync(Func<GuestFreeze, Task> work)
    {
        var failures = await Task.WhenAll(_guests.Select(async guest =>
        {
            try
            {
                await work(guest).ConfigureAwait(false);
                return null;
            }
            catch (GuestAgentException e)
            {
                return new FreezeFailure(guest.Session, e);
            }
            catch (OperationCanceledException)
            {
                return null;
            }
        })).ConfigureAwait(false);
        return [.. failures.OfType<FreezeFailure>()];
    }

    private async Task LimitAsync()
    {
        if (_options.MaximumTime > TimeSpan.Zero)
        {
            try
            {
                await new OperationTime(_clock, new CallOptions { Timeout = TimeSpan.Zero })
                    .DelayAsync(_options.MaximumTime, _ended.Token).ConfigureAwait(false);
                await EndAsync(FreezeResult.TimeLimit).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                // It ended in time.
            }
        }
    }

    // The first to end it says why.
    private Task<IReadOnlyList<FreezeOutcome>> EndAsync(FreezeResult reason)
    {
        lock (_lock)
        {
            return _ending ??= Task.Run(() => EndCoreAsync(reason, _freezing));
        }
    }

    private async Task<IReadOnlyList<FreezeOutcome>> EndCoreAsync(FreezeResult reason, Task<IReadOnlyList<FreezeFailure>> freezing)
    {
        _ended.Cancel();
        if (reason is FreezeResult.TimeLimit or FreezeResult.SessionClosed)
        {
            _interruption.TrySetResult(true);
        }

        var failures = await freezing.ConfigureAwait(false);
        var outcomes = await Task.WhenAll(_guests.Where(guest => guest.MayBeFrozen || failures.Count > 0).Select(async guest =>
        {
            var outcome = guest.MayBeFrozen
                ? await guest.ThawAsync(CancellationToken.None).ConfigureAwait(false)
                : new FreezeOutcome(guest.Session, FreezeResult.NotFrozen, null, null, TimeSpan.Zero, null);
            var failure = failures.FirstOrDefault(failure => failure.Session == guest.Session);
            return outcome.Result == FreezeResult.LeftFrozen ? outcome
                : failure is not null ? outcome with { Result = FreezeResult.NotFrozen, Error = failure.Error }
                : reason == FreezeResult.Consistent ? outcome
                : outcome with { Result = reason, Error = ErrorOf(reason, outcome.Session, failures) };
        })).ConfigureAwait(false);
        Retire();
        return outcomes;
    }

    private void Retire()
    {
        _ended.Cancel();
        ProcessEnd.Forget(_close);
        foreach (var guest in _guests)
        {
            guest.Session.CleanupActions.Remove(_close);
        }
    }

    private GuestAgentException? ErrorOf(FreezeResult reason, GuestAgentSession session, IReadOnlyList<FreezeFailure> failures) => reason switch
    {
        FreezeResult.TimeLimit =>
            ErrorCatalogue.FreezeTimeLimit.With(session.Endpoint, _options.MaximumTime.TotalSeconds),
        FreezeResult.SessionClosed => ErrorCatalogue.SessionClosed.With(session.Endpoint),
        _ => failures.Count > 0
            ? ErrorCatalogue.FreezeGivenUp.With(session.Endpoint, failures[0].Session.Endpoint, failures[0].Error.Message)
            : null,
    };
}
