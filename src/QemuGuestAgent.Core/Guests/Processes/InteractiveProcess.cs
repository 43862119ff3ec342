using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Processes;

/// <summary>
/// A program in a guest that is spoken with while it runs: bytes to its standard input, bytes from its standard output. Other commands
/// of the session go on between. Nothing of it is left in the guest when it ends, is closed, or the host is gone.
/// </summary>
#pragma warning disable CA1001 // Neither can be disposed of: bytes to send may come at any time; and the timer has an end.
public sealed class InteractiveProcess
#pragma warning restore CA1001
{
    // A shell says so that a signal has ended its program.
    private const int SignalBase = 128;

    // The runtime's timers are no finer than 4 ms on many a system; a thread's own wait is.
    private static readonly TimeSpan MaxOnThread = TimeSpan.FromMilliseconds(10);

    // What follows on traffic is often there so soon. To ask for longer would take the guest's time from what it is asked for.
    private static readonly TimeSpan Eagerness = TimeSpan.FromMilliseconds(0.4);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan MaxPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan MaxIdlePause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongIdle = TimeSpan.FromSeconds(60);

    // When it has waited that long for the agent, the guest has taken the host for gone.
    private static readonly CallOptions Call = new() { Timeout = TimeSpan.FromMinutes(2) };

    private readonly GuestAgentSession _session;
    private readonly string _filePath;
    private readonly InteractiveChannel _channel;
    private readonly SemaphoreSlim _wake = new(0);
    private readonly CancellationTokenSource _giveUp = new();
    private readonly Lazy<Task> _closing;
    private Task _running = Task.CompletedTask;
    private volatile bool _isClosing;

    private InteractiveProcess(GuestAgentSession session, string filePath, InteractiveChannel channel)
    {
        _session = session;
        _filePath = filePath;
        _channel = channel;
        _closing = new Lazy<Task>(CloseOnceAsync);
    }

    /// <summary>Starts a program. If that is cancelled, nothing is left running.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="filePath">The program, as the guest finds it.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="userName">The user in the guest to run it as, or null for the agent's user.</param>
    /// <param name="call">Time limit and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="GuestAgentException">
    /// NotInWindowsGuest, ProcessNotStarted, ProcessTimedOut, OutputFileNotMade, ArgumentTextInvalid, and those of a command. That the
    /// program itself is not there comes from <see cref="RunAsync"/>.
    /// </exception>
    public static Task<InteractiveProcess> StartAsync(
        GuestAgentSession session, string filePath, IReadOnlyList<string> arguments, string? userName = null,
        CallOptions? call = null, CancellationToken cancellationToken = default) =>
        StartAsync(session, filePath, arguments, userName, HostWatch.Usual, call, cancellationToken);

    internal static async Task<InteractiveProcess> StartAsync(
        GuestAgentSession session, string filePath, IReadOnlyList<string> arguments, string? userName, HostWatch watch,
        CallOptions? call, CancellationToken cancellationToken)
    {
        var time = new OperationTime(session.Clock, call);
        var platform = await GuestPlatform.FindAsync(session, time, cancellationToken).ConfigureAwait(false);
        var channel = platform.CreateInteractive(session, new GuestExecution(filePath, [.. arguments]), userName, watch);
        return await StartAsync(session, filePath, channel, time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Starts a program that a channel leads to.</summary>
    internal static async Task<InteractiveProcess> StartAsync(
        GuestAgentSession session, string filePath, InteractiveChannel channel, OperationTime time, CancellationToken cancellationToken)
    {
        var process = new InteractiveProcess(session, filePath, channel);
        try
        {
            await channel.StartAsync(time, cancellationToken).ConfigureAwait(false);
            ProcessEnd.Before(process.CloseAsync);
            return process;
        }
        catch
        {
            await process.CloseAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Sends bytes to its standard input. From any thread; does not wait.</summary>
    public void Send(byte[] bytes)
    {
        _channel.Send(bytes);
        _wake.Release();
    }

    /// <summary>
    /// Takes note that the program has read the first bytes that were sent, so many of all: what follows may then go in larger pieces.
    /// To be called by who receives its output, which tells.
    /// </summary>
    public void ConfirmRead(long count) => _channel.ConfirmRead(count);

    /// <summary>Speaks with the program until it is closed. To be called once.</summary>
    /// <param name="receive">Receives its standard output, on any thread, one piece at a time.</param>
    /// <exception cref="GuestAgentException">InteractiveProcessEnded, InteractiveProcessLost, and those of a command.</exception>
    public async Task RunAsync(Action<byte[]> receive)
    {
        if (await RunToEndAsync(receive).ConfigureAwait(false) is { } end)
        {
            throw Failure(end);
        }
    }

    /// <summary>Speaks with the program, and returns how it ended; null once it is closed. To be called once.</summary>
    /// <param name="receive">Receives its standard output, on any thread, one piece at a time.</param>
    /// <exception cref="GuestAgentException">InteractiveProcessLost, and those of a command.</exception>
    internal Task<GuestProcessResult?> RunToEndAsync(Action<byte[]> receive)
    {
        var running = Task.Run(() => RelayAsync(receive));
        _running = running;
        return running;
    }

    /// <summary>The error that says how the program has ended.</summary>
    internal GuestAgentException Failure(GuestProcessResult end) => ErrorCatalogue.InteractiveProcessEnded.With(
        _filePath, _session.Endpoint, end.ExitCode ?? SignalBase + end.Signal, GuestProcessResult.LastWords(end.StandardError));

    /// <summary>Ends the program's input, waits a while for its end, kills it where that does not come, and removes what it had.</summary>
    public Task CloseAsync() => _closing.Value;

    private async Task<GuestProcessResult?> RelayAsync(Action<byte[]> receive)
    {
        var clock = new OperationTime(_session.Clock, null);
        var (quietSince, pause) = (TimeSpan.Zero, FirstPause);
        while (!_isClosing)
        {
            var (isBusy, end) = await TryExchangeAsync(receive).ConfigureAwait(false);
            if (end is not null)
            {
                return end;
            }

            if (isBusy)
            {
                (quietSince, pause) = (clock.Elapsed, FirstPause);
            }

            if (clock.Elapsed - quietSince < Eagerness)
            {
                continue;
            }

            if (pause <= MaxOnThread)
            {
                WaitOnThread(pause);
            }
            else
            {
                await _wake.WaitAsync(pause).ConfigureAwait(false);
            }

            var maxPause = clock.Elapsed - quietSince > LongIdle ? MaxIdlePause : MaxPause;
            pause = new TimeSpan(Math.Min(maxPause.Ticks, pause.Ticks * 5 / 4));
        }

        return null;
    }

    // SemaphoreSlim's own wait spins first, and each time it yields Linux takes a whole turn off the thread: with all cores busy it came back
    // after 90 ms.
    private void WaitOnThread(TimeSpan pause)
    {
        if (_wake.AvailableWaitHandle.WaitOne(pause))
        {
            _wake.Wait(0);
        }
    }

    // One round both ways; whether there was anything, and the end.
    private async Task<(bool IsBusy, GuestProcessResult? End)> TryExchangeAsync(Action<byte[]> receive)
    {
        try
        {
            var turn = await _channel.ExchangeAsync(Call, _giveUp.Token).ConfigureAwait(false);
            if (turn.Output.Length > 0)
            {
                receive(turn.Output);
            }

            return (turn.IsBusy, turn.End);
        }
        catch (GuestAgentException e) when (AbandonedCall.IsPostponed(e))
        {
            // Nothing more was done; it continues once the guest is thawed, or the session free.
            return (false, null);
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.AgentError))
        {
            throw ErrorCatalogue.InteractiveProcessLost.Because(e, _filePath, _session.Endpoint, e.AgentErrorText);
        }
    }

    private async Task CloseOnceAsync()
    {
        _isClosing = true;
        _wake.Release();
        _giveUp.CancelAfter(AbandonedCall.CleanupTime);
        try
        {
            // A receiver that does not return (a terminal that takes nothing more) is not waited for.
            await await Task.WhenAny(_running, Task.Delay(AbandonedCall.CleanupTime)).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Whatever it is, also of the receiver: nothing stays in the guest for it.
        catch (Exception)
#pragma warning restore CA1031
        {
            // The caller of RunAsync gets the error.
        }

        var time = new OperationTime(_session.Clock, new CallOptions { Timeout = AbandonedCall.CleanupTime });
        try
        {
            if (_session.State != GuestAgentSessionState.Ready)
            {
                // The channel broke, but the guest may be there still; or it does not answer, and each step would wait for that.
                await _session.SynchronizeAsync(time.Command()).ConfigureAwait(false);
            }

            await _channel.CloseAsync(time).ConfigureAwait(false);
        }
        catch (GuestAgentException)
        {
            // The agent does not answer: then the guest ends it once it considers the host gone.
        }

        ProcessEnd.Forget(CloseAsync);
    }
}
