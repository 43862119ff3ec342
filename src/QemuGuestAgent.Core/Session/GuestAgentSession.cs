using System.Text.Json;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Schema;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Session;

/// <summary>
/// A session with a guest agent. It synchronises automatically: on connecting, and before the next command after a time-out, a cancel or a
/// framing error, so that a reply never reaches the caller of another command. Thread-safe: callers are served in order.
/// </summary>
public sealed class GuestAgentSession : IDisposable, IAsyncDisposable
{
    private readonly GuestAgentSessionOptions _options;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly CancellationTokenSource _closing = new();
    private readonly LateReplies _late = new();
    private AgentChannel? _channel;
    private volatile int _state = (int)GuestAgentSessionState.Connecting;
    private GuestAgentException? _fault;
    private (string Command, long Since)? _abandoned;

    private GuestAgentSession(GuestAgentEndpoint endpoint, GuestAgentSessionOptions options)
    {
        Endpoint = endpoint;
        _options = options;
    }

    /// <summary>The endpoint of the agent.</summary>
    public GuestAgentEndpoint Endpoint { get; }

    /// <summary>The current state of the session.</summary>
    public GuestAgentSessionState State => (GuestAgentSessionState)_state;

    /// <summary>What guest-info said at the last synchronisation, or null where the agent's policy refuses it.</summary>
    public GuestAgentInfo? Agent { get; private set; }

    /// <summary>Whether the agent echoes request ids (QEMU 4.0 and later), found out at the last synchronisation.</summary>
    public bool EchoesRequestIds { get; private set; }

    /// <summary>The last synchronisation, or null before the first.</summary>
    public SyncResult? LastSync { get; private set; }

    /// <summary>Whether the guest's file systems are frozen, as the last command that shows it did.</summary>
    public bool IsFrozen { get; internal set; }

    /// <summary>Cleanup actions to run before the session closes.</summary>
    internal CleanupActions CleanupActions { get; } = new();

    /// <summary>The session's clock.</summary>
    internal TimeProvider Clock => _options.TimeProvider;

    /// <summary>The handles of the files of the guest that are open for operations that are under way.</summary>
    internal OpenHandles OpenFiles { get; } = new();

    /// <summary>How long silence counts as slowness of the agent, before it counts as its absence.</summary>
    internal TimeSpan NoReplyWait => _options.NoReplyWait;

    /// <summary>Opens an endpoint and synchronises with the agent behind it.</summary>
    /// <param name="endpoint">The endpoint of the agent.</param>
    /// <param name="options">Bounds; null for the defaults.</param>
    /// <param name="call">Time limit and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="GuestAgentException">
    /// An <c>Endpoint…</c> error, AgentSilent, NotAnAgent, EndpointEchoes, ConnectionLost, ReplyTooLong, ReplyMalformed, ReplyUnexpected or
    /// SyncSkippedTooMuch.
    /// </exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async Task<GuestAgentSession> ConnectAsync(
        GuestAgentEndpoint endpoint, GuestAgentSessionOptions? options = null, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var session = new GuestAgentSession(endpoint, options ?? new GuestAgentSessionOptions());
        try
        {
            await session.SynchronizeAsync(call, cancellationToken).ConfigureAwait(false);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Synchronises with the agent (rules S1 to S7), opening the endpoint again first where the session is Faulted.</summary>
    /// <exception cref="GuestAgentException">As <see cref="ConnectAsync"/>, and AgentBusy, SessionBusy, SessionClosed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async Task<SyncResult> SynchronizeAsync(CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        using var scope = await EnterAsync("guest-sync-delimited", call, cancellationToken).ConfigureAwait(false);
        try
        {
            if (_channel is null || State == GuestAgentSessionState.Faulted)
            {
                await OpenAsync(scope).ConfigureAwait(false);
            }

            return await SynchronizeCoreAsync(scope).ConfigureAwait(false);
        }
        catch (GuestAgentException e)
        {
            FaultIfFinal(e);
            throw;
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Sends a command and reads its reply; synchronises first where the session is out of sync.</summary>
    /// <param name="request">The command.</param>
    /// <param name="parse">Reads the reply's value, from the receive buffer; it must not keep the reader's spans.</param>
    /// <param name="call">Time limit and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation; the session stays usable.</param>
    /// <returns>What <paramref name="parse"/> returns; the default value for a command whose success is no reply.</returns>
    /// <exception cref="GuestAgentException">
    /// AgentError, CommandNotFound, CommandDisabled, GuestFrozen: the agent refused. AgentSilent, AgentBusy, SessionBusy, SessionClosed,
    /// SessionFaulted, RequestTooLong: the command was not sent. CommandTimedOut, RequestLost, ReplyMalformed, ReplyTooComplex, ReplyUnexpected,
    /// ReplyTooLong, ConnectionLost: it was sent, and may have run.
    /// </exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async Task<T?> InvokeAsync<T>(
        GuestAgentRequest request, ReplyParser<T> parse, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        using var scope = await EnterAsync(request.Command, call, cancellationToken).ConfigureAwait(false);
        try
        {
            ThrowIfFaulted();
            var isAnswered = GuestAgentInfo.SuccessResponse(Agent, request.Command);

            // Where success is no reply, silence must mean success: not an agent that was gone before.
            if (State != GuestAgentSessionState.Ready || !isAnswered)
            {
                await SynchronizeCoreAsync(scope).ConfigureAwait(false);
                isAnswered = GuestAgentInfo.SuccessResponse(Agent, request.Command);
            }

            return await ExchangeAsync(request, parse, isAnswered, scope).ConfigureAwait(false);
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.CommandDisabled) && Agent?.MayBeFrozen(request.Command) == true)
        {
            if (!await IsFrozenAsync(scope).ConfigureAwait(false))
            {
                throw;
            }

            IsFrozen = true;
            var frozen = ErrorCatalogue.GuestFrozen.With(request.Command, Endpoint);
            frozen.AgentErrorClass = e.AgentErrorClass;
            throw frozen;
        }
        catch (GuestAgentException e)
        {
            FaultIfFinal(e);
            throw;
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Sends a command and returns its reply as it is; see the other overload.</summary>
    public Task<JsonElement> InvokeAsync(GuestAgentRequest request, CallOptions? call = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(request, static (ref Utf8JsonReader reader) => JsonElement.ParseValue(ref reader), call, cancellationToken);

    /// <summary>
    /// Closes the session at once, also with a command outstanding: its caller gets SessionClosed. A guest that a
    /// FreezeScope holds frozen is thawed first, which may take a minute: <see cref="DisposeAsync"/> does not block meanwhile.
    /// </summary>
    public void Dispose()
    {
        CleanupActions.CloseAsync().GetAwaiter().GetResult();
        Close();
    }

    /// <inheritdoc cref="Dispose"/>
    public async ValueTask DisposeAsync()
    {
        await CleanupActions.CloseAsync().ConfigureAwait(false);
        Close();
    }

    /// <summary>Leaves the channel and opens it again: what was sent and not yet taken by the guest is lost.</summary>
    /// <exception cref="GuestAgentException">An <c>Endpoint…</c> error, SessionBusy, SessionClosed.</exception>
    internal async Task ReopenAsync(CallOptions call)
    {
        using var scope = await EnterAsync("guest-sync-delimited", call, CancellationToken.None).ConfigureAwait(false);
        try
        {
            await OpenAsync(scope).ConfigureAwait(false);
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>The error of what is asked of a session that is closed or closing.</summary>
    internal GuestAgentException SessionClosed() => ErrorCatalogue.SessionClosed.With(Endpoint);

    /// <summary>
    /// Writes a command and waits for nothing: an agent that is busy or not there now carries it out when it comes to it. The session is
    /// out of sync then.
    /// </summary>
    /// <exception cref="GuestAgentException">SessionBusy, SessionClosed, SessionFaulted, ConnectionLost: it was not written.</exception>
    internal async Task PostAsync(GuestAgentRequest request, CallOptions call)
    {
        using var scope = await EnterAsync(request.Command, call, CancellationToken.None).ConfigureAwait(false);
        try
        {
            ThrowIfFaulted();
            scope.Trace?.Invoke(TraceEvent.Step($"Sending {request.Command} to '{Endpoint}' without waiting for a reply."));
            var message = await _channel!.StartMessageAsync(scope).ConfigureAwait(false);
            var id = RequestId.Next();
            RequestWriter.Write(message, request.Command, request.WriteArguments, EchoesRequestIds ? id : null);
            Become(GuestAgentSessionState.OutOfSync);
            _channel.Send();
            ExpectLate(request, id);
        }
        catch (OperationCanceledException)
        {
            throw scope.Explain(SessionClosed, () => ErrorCatalogue.SessionBusy.With(Endpoint, Seconds(scope), request.Command));
        }
        catch (GuestAgentException e)
        {
            FaultIfFinal(e);
            throw;
        }
        finally
        {
            Leave();
        }
    }

    private void Close()
    {
        if (Interlocked.Exchange(ref _state, (int)GuestAgentSessionState.Closed) == (int)GuestAgentSessionState.Closed)
        {
            return;
        }

        // Neither the token source nor the gate is disposed: callers may hold them at this moment.
        _closing.Cancel();
        _channel?.Dispose();
    }

    private ValueTask<CallScope> EnterAsync(string command, CallOptions? call, CancellationToken cancellationToken)
    {
        var scope = new CallScope(call, _options.TimeProvider, cancellationToken, _closing.Token);
        return !cancellationToken.IsCancellationRequested && !_closing.IsCancellationRequested && _gate.Wait(0, CancellationToken.None)
            ? new(Begin(scope)) : WaitToEnterAsync(command, scope);
    }

    private async ValueTask<CallScope> WaitToEnterAsync(string command, CallScope scope)
    {
        try
        {
            await _gate.WaitAsync(scope.Token).ConfigureAwait(false);
            return Begin(scope);
        }
        catch (OperationCanceledException)
        {
            scope.Dispose();
            throw scope.Explain(SessionClosed, () => ErrorCatalogue.SessionBusy.With(Endpoint, Seconds(scope), command));
        }
    }

    private CallScope Begin(CallScope scope)
    {
        if (_channel is { } channel)
        {
            channel.Trace = scope.Call.Trace;
            channel.CallTime = scope.Call.Timeout;
        }

        return scope;
    }

    private void Leave()
    {
        if (_channel is { } channel)
        {
            channel.Trace = null;
        }

        _gate.Release();
    }

    private async ValueTask OpenAsync(CallScope scope)
    {
        _channel?.Dispose();
        Become(GuestAgentSessionState.Connecting);
        scope.Trace?.Invoke(TraceEvent.Step($"Connecting to '{Endpoint}'."));
        try
        {
            var channel = await AgentChannel.OpenAsync(Endpoint, _options, scope).ConfigureAwait(false);
            Interlocked.Exchange(ref _channel, channel);

            // Closed meanwhile: either Dispose has seen the channel, or this sees its state.
            if (State == GuestAgentSessionState.Closed)
            {
                channel.Dispose();
                throw SessionClosed();
            }

            Become(GuestAgentSessionState.OutOfSync);
        }
        catch (OperationCanceledException)
        {
            var error = scope.Explain(SessionClosed, () => ErrorCatalogue.EndpointTimedOut.With(Endpoint, Seconds(scope)));
            Fault(error as GuestAgentException ?? ErrorCatalogue.ConnectionLost.With(Endpoint, "connecting was cancelled"));
            throw error;
        }
        catch (GuestAgentException e)
        {
            Fault(e);
            throw;
        }
        catch (Exception e)
        {
            // What its connector did not expect of this system.
            var error = ErrorCatalogue.EndpointUnreachable.Because(e, Endpoint, e.Message);
            Fault(error);
            throw error;
        }
    }

    private async ValueTask<SyncResult> SynchronizeCoreAsync(CallScope scope)
    {
        Become(GuestAgentSessionState.OutOfSync);
        scope.Trace?.Invoke(TraceEvent.Step($"Synchronising with the agent on '{Endpoint}'."));
        var sync = new Synchronization(
            Endpoint, _channel!, _late, new AgentErrorMapper(Endpoint, Agent), _options, isKnownAgent: LastSync is not null);
        try
        {
            LastSync = await sync.RunAsync(scope).ConfigureAwait(false);
            (Agent, EchoesRequestIds) = await sync.ProbeAsync(scope).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            throw scope.Explain(SessionClosed, () => sync.Diagnose() ?? (_abandoned is { } busy
                ? ErrorCatalogue.AgentBusy.With(Endpoint, Seconds(scope), busy.Command, SecondsSince(busy.Since))
                : ErrorCatalogue.AgentSilent.With(Endpoint, Seconds(scope))));
        }
        catch (GuestAgentException e) when (State == GuestAgentSessionState.Closed && e.Is(ErrorCatalogue.ConnectionLost))
        {
            throw SessionClosed();
        }

        _abandoned = null;
        Become(GuestAgentSessionState.Ready);
        scope.Trace?.Invoke(TraceEvent.Step($"In sync with agent {Agent?.Version ?? "of unknown version"} on '{Endpoint}': "
            + $"replies discarded: {LastSync.RepliesDiscarded} ({LastSync.BytesDiscarded} bytes); "
            + (EchoesRequestIds ? "it echoes request ids." : "it does not echo request ids.")));
        return LastSync;
    }

    private async ValueTask<T?> ExchangeAsync<T>(
        GuestAgentRequest request, ReplyParser<T> parse, bool isAnswered, CallScope scope)
    {
        Become(GuestAgentSessionState.Busy);
        scope.Trace?.Invoke(TraceEvent.Step($"Sending {request.Command} to '{Endpoint}'."));
        var exchange = new Exchange(Endpoint, _channel!, _late, new AgentErrorMapper(Endpoint, Agent), _options, EchoesRequestIds, request);
        try
        {
            var result = await exchange.RunAsync(parse, isAnswered, scope).ConfigureAwait(false);
            IsFrozen = request.LeavesFrozen ?? IsFrozen;
            if (exchange.PingId is not null && request.LateReply is null)
            {
                // Silence was taken for success; an error may still come.
                // The ping's reply shows that there was none: errors come first.
                ExpectLate(request, exchange.Id);
                ExpectLate(request, exchange.PingId.Value);
            }

            return result;
        }
        catch (OperationCanceledException)
        {
            if (!exchange.InSync)
            {
                _abandoned = (request.Command, exchange.Sent);
                ExpectLate(request, exchange.Id);
            }

            throw scope.Explain(
                SessionClosed, () => ErrorCatalogue.CommandTimedOut.With(request.Command, Endpoint, Seconds(scope)));
        }
        catch (GuestAgentException e) when (State == GuestAgentSessionState.Closed && e.Is(ErrorCatalogue.ConnectionLost))
        {
            throw SessionClosed();
        }
        finally
        {
            Become(exchange.InSync ? GuestAgentSessionState.Ready : GuestAgentSessionState.OutOfSync);
        }
    }

    private void ExpectLate(GuestAgentRequest request, long id)
    {
        if (request.KeepsLateReply && EchoesRequestIds)
        {
            _late.Expect(id, request);
        }
    }

    // What a frozen guest refuses, it refuses as if its policy did; this it answers.
    private async Task<bool> IsFrozenAsync(CallScope scope)
    {
        try
        {
            if (State != GuestAgentSessionState.Ready)
            {
                await SynchronizeCoreAsync(scope).ConfigureAwait(false);
            }

            return await ExchangeAsync(
                new GuestAgentRequest(FreezeStatus.Command), FreezeStatus.Read, isAnswered: true, scope).ConfigureAwait(false) == FreezeStatus.Frozen;
        }
        catch (GuestAgentException e)
        {
            // Without an answer it does not count as frozen; the caller gets the refusal.
            FaultIfFinal(e);
            return false;
        }
    }

    // A session that is closed remains so.
    private void Become(GuestAgentSessionState state)
    {
        for (var old = State; old != GuestAgentSessionState.Closed; old = State)
        {
            if (Interlocked.CompareExchange(ref _state, (int)state, (int)old) == (int)old)
            {
                return;
            }
        }
    }

    // After these nothing more can come over the channel as it is.
    private void FaultIfFinal(GuestAgentException e)
    {
        if (_channel?.IsBroken == true || e.Is(ErrorCatalogue.ReplyTooLong)
            || e.Is(ErrorCatalogue.SyncSkippedTooMuch) || e.Is(ErrorCatalogue.NotAnAgent))
        {
            Fault(e);
        }
    }

    private void Fault(GuestAgentException e)
    {
        _fault = e;
        _channel?.Dispose();
        Become(GuestAgentSessionState.Faulted);
    }

    private void ThrowIfFaulted()
    {
        if (State == GuestAgentSessionState.Faulted)
        {
            throw ErrorCatalogue.SessionFaulted.Because(_fault!, Endpoint, _fault!.Message);
        }
    }

    private long SecondsSince(long timestamp) => (long)_options.TimeProvider.GetElapsedTime(timestamp).TotalSeconds;

    private static double Seconds(CallScope scope) => (scope.Call.OperationTimeout ?? scope.Call.Timeout).TotalSeconds;
}
