using System.Text;
using System.Text.Json;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Processes;

/// <summary>
/// A process that the agent of a guest started. The agent tells its end, with all that it wrote, only once: a reply that comes
/// late is still used, and one that is lost is said to be lost. Safe for several callers.
/// </summary>
#pragma warning disable CA1001 // The gate has nothing to dispose of: nobody asks for its wait handle.
public sealed partial class GuestProcess
#pragma warning restore CA1001
{
    private static readonly TimeSpan FirstPoll = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan MaxPoll = TimeSpan.FromSeconds(1);

    private readonly GuestAgentSession _session;
    private readonly LaunchWrapper? _wrapper;
    private readonly bool _isOutputInternal;
    private readonly Encoding _encoding;
    private readonly long? _started;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private GuestAgentRequest? _unanswered;
    private GuestExecutionStatus? _end;
    private TimeSpan? _duration;
    private GuestProcessResult? _result;
    private bool _isReplyLost;

    /// <summary>A process known by its id only.</summary>
    /// <param name="session">The session with the agent that started it.</param>
    /// <param name="processId">Its id in the guest.</param>
    public GuestProcess(GuestAgentSession session, long processId)
        : this(session, processId, null, null, new UTF8Encoding(false), null)
    {
    }

    private GuestProcess(
        GuestAgentSession session, long processId, string? filePath, LaunchWrapper? wrapper, Encoding encoding, long? started,
        bool isOutputInternal = false)
    {
        _session = session;
        Pid = processId;
        FilePath = filePath;
        _wrapper = wrapper;
        _encoding = encoding;
        _started = started;
        _isOutputInternal = isOutputInternal;
    }

    /// <summary>Its id in the guest.</summary>
    public long Pid { get; }

    /// <summary>The program, or null where it is not known.</summary>
    public string? FilePath { get; }

    /// <summary>How it ended, once that was seen; else null.</summary>
    public GuestProcessResult? Result => _end is not { } end ? null : _result ??= new GuestProcessResult(
        Pid, end.ExitCode, end.Signal, end.Output, end.Errors, end.IsTruncated, _duration, _encoding);

    private string Name => FilePath ?? $"{Pid}";

    /// <summary>Starts a program. If that is cancelled, nothing is left running.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="start">The program.</param>
    /// <param name="call">Time limit and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="GuestAgentException">
    /// ProcessNotStarted, ArgumentTextInvalid, EnvironmentUnknown, NotInWindowsGuest, and those of a command.
    /// </exception>
    public static async Task<GuestProcess> StartAsync(
        GuestAgentSession session, GuestProcessStart start, CallOptions? call = null,
        CancellationToken cancellationToken = default)
    {
        var time = new OperationTime(session.Clock, call);
        var platform = await GuestPlatform.FindAsync(session, time, cancellationToken).ConfigureAwait(false);
        start = await platform.CompleteAsync(session, start, time, cancellationToken).ConfigureAwait(false);
        var (execution, wrapper) = await LaunchWrapper.PrepareAsync(
            session, start, null, time, cancellationToken).ConfigureAwait(false);
        return await StartAsync(session, execution, time, cancellationToken, start, wrapper).ConfigureAwait(false);
    }

    /// <summary>Runs a program to its end. If that is cancelled or times out, the program is killed.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="start">The program.</param>
    /// <param name="keepsOnTimeOut">Whether it keeps running after a time-out.</param>
    /// <param name="call">Time limit (zero for none) and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="GuestAgentException">As those of starting and waiting.</exception>
    public static async Task<GuestProcessResult> RunAsync(
        GuestAgentSession session, GuestProcessStart start, bool keepsOnTimeOut = false, CallOptions? call = null,
        CancellationToken cancellationToken = default)
    {
        var time = new OperationTime(session.Clock, call);
        var platform = await GuestPlatform.FindAsync(session, time, cancellationToken).ConfigureAwait(false);
        start = await platform.CompleteAsync(session, start, time, cancellationToken).ConfigureAwait(false);
        if (session.Endpoint.BoundsReplies || (platform.FollowsLaunched && platform.NeedsLauncher(start)))
        {
            return await StreamedProcess.GatherAsync(platform, session, start, keepsOnTimeOut, time, cancellationToken).ConfigureAwait(false);
        }

        var (execution, wrapper) = await LaunchWrapper.PrepareAsync(
            session, start, null, time, cancellationToken).ConfigureAwait(false);
        var process = await StartAsync(session, execution, time, cancellationToken, start, wrapper).ConfigureAwait(false);
        return await process.GuardAsync(
            () => process.WaitAsync(time, cancellationToken), keepsOnTimeOut, time).ConfigureAwait(false);
    }

    /// <summary>The encoding that programs of a guest usually write and read: UTF-8, or the OEM code page of a Windows guest.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="call">Time limit and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="GuestAgentException">Those of running a program.</exception>
    public static async Task<Encoding> FindEncodingAsync(
        GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var time = new OperationTime(session.Clock, call);
        var platform = await GuestPlatform.FindAsync(session, time, cancellationToken).ConfigureAwait(false);
        return await platform.FindEncodingAsync(session, time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Asks once whether it has ended; the result where it has, else null.</summary>
    /// <param name="call">Time limit and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="GuestAgentException">
    /// ProcessUnknown, ProcessOutputLost, ProcessNotStarted, and those of a command.
    /// </exception>
    public async Task<GuestProcessResult?> RefreshAsync(
        CallOptions? call = null, CancellationToken cancellationToken = default) =>
        (await AskAsync(call, cancellationToken).ConfigureAwait(false)).HasExited ? Finish() : null;

    /// <summary>Waits until it has ended. It continues if that is cancelled or times out.</summary>
    /// <param name="call">Time limit (zero for none) and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="GuestAgentException">As <see cref="RefreshAsync"/>, and ProcessTimedOut.</exception>
    public Task<GuestProcessResult> WaitAsync(CallOptions? call = null, CancellationToken cancellationToken = default) =>
        WaitAsync(new OperationTime(_session.Clock, call), cancellationToken);

    /// <summary>Kills it and what it has started, and takes its result where the agent tells it soon.</summary>
    /// <param name="call">Time limit and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="GuestAgentException">
    /// ProcessNotStopped, ProcessUnknown, ProcessOutputLost, and those of a command.
    /// </exception>
    public async Task StopAsync(CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var time = new OperationTime(_session.Clock, call);
        if ((await AskAsync(time.Command(), cancellationToken).ConfigureAwait(false)).HasExited)
        {
            return;
        }

        var platform = await GuestPlatform.FindAsync(_session, time, cancellationToken).ConfigureAwait(false);
        var failure = await platform.KillTreeAsync(_session, Pid, time, cancellationToken).ConfigureAwait(false);
        await ReapAsync(time, cancellationToken).ConfigureAwait(false);
        if (_end is null && failure is not null)
        {
            throw ErrorCatalogue.ProcessNotStopped.WithTarget(Pid, _session.Endpoint, Pid, failure);
        }
    }

    internal static async Task<GuestProcess> StartAsync(
        GuestAgentSession session, GuestExecution execution, OperationTime time, CancellationToken cancellationToken,
        GuestProcessStart? start = null, LaunchWrapper? wrapper = null)
    {
        var path = start?.FilePath ?? execution.Path;
        var request = ProcessCommands.ExecuteRequest(execution);
        var started = session.Clock.GetTimestamp();
        GuestProcess Of(long id) => new(
            session, id, path, wrapper, start?.KnownEncoding ?? GuestText.Utf8, started, start?.IsOutputInternal == true);
        try
        {
            var id = await session.InvokeAsync(
                request, (ref Utf8JsonReader reader) => ProcessCommands.ParseProcessId(JsonElement.ParseValue(ref reader)),
                time.Command(), cancellationToken).ConfigureAwait(false);
            return Of(id);
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.AgentError))
        {
            throw ErrorCatalogue.ProcessNotStarted.Because(e, path, session.Endpoint, e.AgentErrorText);
        }
        catch (Exception e) when (AbandonedCall.IsUnanswered(e))
        {
            await session.UndoAsync(request, late => Of(ProcessCommands.ParseProcessId(late)).TryStopAsync()).ConfigureAwait(false);
            throw;
        }
    }

    internal async Task<GuestExecutionStatus> WaitForStatusAsync(OperationTime time, CancellationToken cancellationToken)
    {
        // The operation may have done much else before.
        var begin = time.Elapsed;
        var asking = time;
        while (true)
        {
            var command = asking.Command(out var isLast);
            asking = asking == time ? time.WithoutSteps() : asking;
            try
            {
                if (await AskAsync(command, cancellationToken).ConfigureAwait(false) is { HasExited: true } end)
                {
                    return end;
                }
            }
            catch (GuestAgentException e) when (isLast
                && e.Category is GuestAgentErrorCategory.OperationTimeout or GuestAgentErrorCategory.ResourceBusy)
            {
                throw TimedOut(time, "it is still running", e);
            }

            if (time.IsOver)
            {
                throw TimedOut(time, "it is still running");
            }

            // A quarter of the wait so far: a short run is seen soon, a long one costs little.
            var pause = new TimeSpan(Math.Min(MaxPoll.Ticks, Math.Max(FirstPoll.Ticks, (time.Elapsed - begin).Ticks / 4)));
            await time.DelayAsync(pause, cancellationToken).ConfigureAwait(false);
        }
    }

    // For a caller that has cancelled: takes a short time. Null if the process is dead, otherwise why it may not be.
    internal async Task<string?> TryStopAsync()
    {
        try
        {
            await StopAsync(new CallOptions { Timeout = AbandonedCall.CleanupTime }).ConfigureAwait(false);
            return null;
        }
        catch (GuestAgentException e)
        {
            return e.Message;
        }
    }

    // Kills the process if the work with it fails or is cancelled.
    internal async Task<T> GuardAsync<T>(Func<Task<T>> work, bool keepsOnTimeOut, OperationTime time)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.ProcessTimedOut))
        {
            if (keepsOnTimeOut)
            {
                throw;
            }

            var failure = await TryStopAsync().ConfigureAwait(false);
            var state = failure is null ? "it was killed" : $"it could not be killed: {failure.TrimEnd('.')}";
            if (Result is not { } end)
            {
                throw TimedOut(time, state, e);
            }

            var line = _isOutputInternal ? null : end.LastLine;
            throw TimedOut(time, line is null ? state : $"{state}; its last line of output was '{line}'", e)
                .WithOutput(end.StandardOutput, end.StandardError);
        }
        catch (Exception) when (_end is null)
        {
            await TryStopAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task<GuestProcessResult> WaitAsync(OperationTime time, CancellationToken cancellationToken)
    {
        await WaitForStatusAsync(time, cancellationToken).ConfigureAwait(false);
        return Finish();
    }

    private async Task<GuestExecutionStatus> AskAsync(CallOptions? call, CancellationToken cancellationToken)
    {
        // The wait for others, the late reply and the question share the time.
        var time = new OperationTime(_session.Clock, call);
        await EnterAsync(time.Rest(), cancellationToken).ConfigureAwait(false);
        try
        {
            return _end ?? Keep(await TakeLateReplyAsync(time.Rest(), cancellationToken).ConfigureAwait(false)
                ?? await AskAgentAsync(time.Rest(), cancellationToken).ConfigureAwait(false));
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task EnterAsync(CallOptions call, CancellationToken cancellationToken)
    {
        if (_gate.Wait(0, CancellationToken.None))
        {
            return;
        }

        using var scope = new CallScope(call, _session.Clock, cancellationToken, CancellationToken.None);
        try
        {
            await _gate.WaitAsync(scope.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            throw scope.Explain(_session.SessionClosed, () => ErrorCatalogue.SessionBusy.With(
                _session.Endpoint, call.Timeout.TotalSeconds, "guest-exec-status"));
        }
    }

    // The answer to an earlier question, which may be the one that tells the end. After a sync no further answer can come.
    private async Task<GuestExecutionStatus?> TakeLateReplyAsync(CallOptions call, CancellationToken cancellationToken)
    {
        if (_unanswered is not { } request)
        {
            return null;
        }

        if (request.LateReply is null)
        {
            await _session.SynchronizeAsync(call, cancellationToken).ConfigureAwait(false);
        }

        _unanswered = null;
        try
        {
            if (request.LateReply is { Error: null } late)
            {
                return ProcessCommands.ParseStatus(late.Result);
            }
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException)
        {
            // Nonsense: then it is as good as lost.
        }

        _isReplyLost = true;
        return null;
    }

    private async Task<GuestExecutionStatus> AskAgentAsync(CallOptions call, CancellationToken cancellationToken)
    {
        var request = ProcessCommands.StatusRequest(Pid);
        try
        {
            return (await _session.InvokeAsync(
                request, (ref Utf8JsonReader reader) => ProcessCommands.ParseStatus(JsonElement.ParseValue(ref reader)),
                call, cancellationToken).ConfigureAwait(false))!;
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.AgentError))
        {
            // It has no other error than that it does not know the process.
            var error = _isReplyLost ? ErrorCatalogue.ProcessOutputLost : ErrorCatalogue.ProcessUnknown;
            throw error.BecauseWithTarget(e, Pid, _session.Endpoint, Pid);
        }
        catch (Exception e) when (AbandonedCall.IsUnanswered(e))
        {
            _unanswered = request;
            throw;
        }
        catch (GuestAgentException e) when (e.AgentErrorClass is null)
        {
            _isReplyLost = true;
            throw;
        }
    }

    private GuestExecutionStatus Keep(GuestExecutionStatus status)
    {
        if (status.HasExited)
        {
            _end = status;
            _duration = _started is { } started ? _session.Clock.GetElapsedTime(started) : null;
        }

        return status;
    }

    private GuestProcessResult Finish() =>
        _wrapper?.FindFailure(_end!.Errors) is { } reason
            ? throw ErrorCatalogue.ProcessNotStarted.With(Name, _session.Endpoint, reason)
            : Result!;

    // The agent keeps what a process wrote until that is asked for. A background child may hold the pipes for ever.
    private async Task ReapAsync(OperationTime time, CancellationToken cancellationToken)
    {
        var reaping = new OperationTime(_session.Clock, new CallOptions { Timeout = MaxPoll });
        while (!reaping.IsOver && !time.IsOver
            && !(await AskAsync(time.Command(), cancellationToken).ConfigureAwait(false)).HasExited)
        {
            await time.DelayAsync(FirstPoll, cancellationToken).ConfigureAwait(false);
        }
    }

    internal GuestAgentException TimedOut(OperationTime time, string state, Exception? inner = null) =>
        TimedOut(_session, Name, Pid, time, state, inner);

    internal static GuestAgentException TimedOut(
        GuestAgentSession session, string name, long? processId, OperationTime time, string state, Exception? inner = null)
    {
        object?[] arguments = [name, processId, session.Endpoint, time.Given.TotalSeconds, state];
        return inner is null
            ? ErrorCatalogue.ProcessTimedOut.WithTarget(processId, arguments)
            : ErrorCatalogue.ProcessTimedOut.BecauseWithTarget(inner, processId, arguments);
    }
}
