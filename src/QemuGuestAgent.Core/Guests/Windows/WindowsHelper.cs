using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Windows;

/// <summary>What a function in the guest has come to.</summary>
/// <param name="Code">Empty where it was done; otherwise a word that its script defines, or Failed.</param>
/// <param name="Fields">The texts that it wrote; or one, the message.</param>
internal sealed record HelperAnswer(string Code, IReadOnlyList<string> Fields);

/// <summary>
/// A PowerShell that is kept in a Windows guest, one for a session, since its start takes long: it answers questions, and starts programs
/// whose output is read while they run. It ends with the session, or when it has not been asked for a while. Safe for several callers.
/// </summary>
#pragma warning disable CA1001 // The gate has nothing to dispose of: nobody asks for its wait handle.
internal sealed class WindowsHelper
#pragma warning restore CA1001
{
    private static readonly ConditionalWeakTable<GuestAgentSession, WindowsHelper> Helpers = new();

    // Windows PowerShell is in every Windows; PowerShell 7 may be where an administrator has removed that.
    private static readonly string[] PowerShells = [WindowsScripts.PowerShell, "pwsh.exe"];

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan MaxPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan StartPause = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(30);

    private readonly GuestAgentSession _session;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly ConcurrentDictionary<string, HelperAnswer?> _answers = new(StringComparer.Ordinal);
    private GuestProcess? _process;
    private WindowsPipe? _pipe;
    private long _lastNumber;
    private long _lastWord;

    private WindowsHelper(GuestAgentSession session) => _session = session;

    /// <summary>How long it stays in the guest without a question.</summary>
    internal TimeSpan Patience { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>The process's id in the guest, once it was started.</summary>
    internal long? ProcessId => _process?.Pid;

    /// <summary>The helper of a session, started if it does not run; null where the guest has none to offer, and why.</summary>
    /// <exception cref="GuestAgentException">Those of starting a program.</exception>
    public static async Task<(WindowsHelper? Helper, string? MissingReason)> FindAsync(
        GuestAgentSession session, OperationTime time, CancellationToken cancellationToken)
    {
        var helper = Of(session);
        await helper._gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var reason = await helper.EnsureAsync(time, cancellationToken).ConfigureAwait(false);
            return reason is null ? (helper, null) : (null, reason);
        }
        finally
        {
            helper._gate.Release();
        }
    }

    /// <summary>The helper of a session, running or not.</summary>
    internal static WindowsHelper Of(GuestAgentSession session) => Helpers.GetValue(session, of => new WindowsHelper(of));

    /// <summary>Has a function called in the guest. Several may be under way at once.</summary>
    /// <param name="function">The function, of a script in Scripts.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="time">The operation's time.</param>
    /// <param name="cancellationToken">Cancels the operation; what was begun goes on in the guest.</param>
    /// <exception cref="GuestAgentException">GuestPowerShellUnusable, GuestPowerShellLost, ProcessTimedOut, and those of a command.</exception>
    public Task<HelperAnswer> AskAsync(
        string function, IReadOnlyList<string> arguments, OperationTime time, CancellationToken cancellationToken) =>
        ExchangeAsync('q', [function, .. arguments], time, cancellationToken);

    /// <summary>Starts to serve a program in the guest, which begins with the first frame that is written to the pipe.</summary>
    /// <param name="name">The name for its pipe.</param>
    /// <param name="program">The program, as <see cref="WindowsProgram.Of"/> tells it.</param>
    /// <param name="patience">How long the program stays without a word from the host.</param>
    /// <param name="time">The operation's time.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="GuestAgentException">As <see cref="AskAsync"/>.</exception>
    public async Task<WindowsPipe> StartProgramAsync(
        string name, IReadOnlyList<string> program, TimeSpan patience, OperationTime time, CancellationToken cancellationToken)
    {
        var seconds = patience.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        var answer = await ExchangeAsync('p', [name, seconds, .. program], time, cancellationToken).ConfigureAwait(false);
        return answer.Code.Length == 0
            ? await WindowsPipe.OpenAsync(_session, name, time, cancellationToken).ConfigureAwait(false)
            : throw ErrorCatalogue.GuestPowerShellLost.With(_session.Endpoint, answer.Fields[0]);
    }

    private async Task<HelperAnswer> ExchangeAsync(
        char kind, IReadOnlyList<string> texts, OperationTime time, CancellationToken cancellationToken)
    {
        var number = Interlocked.Increment(ref _lastNumber).ToString(CultureInfo.InvariantCulture);
        WindowsPipe? pipe = null;
        var said = time.Elapsed;
        try
        {
            for (var pause = FirstPause; ; pause = pause < MaxPause ? new TimeSpan(pause.Ticks * 5 / 4) : MaxPause)
            {
                await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
                try
                {
                    if (pipe is null)
                    {
                        if (await EnsureAsync(time, cancellationToken).ConfigureAwait(false) is { } reason)
                        {
                            throw ErrorCatalogue.GuestPowerShellUnusable.With("This", _session.Endpoint, reason);
                        }

                        pipe = _pipe!;
                        _answers.TryAdd(number, null);
                        pipe.Add(kind, Encoding.UTF8.GetBytes(string.Join("\0", [number, .. texts])));
                    }

                    // It would take a host that waits in silence for gone.
                    if (time.Elapsed - said > new TimeSpan(Patience.Ticks / 4))
                    {
                        pipe.Add('b', []);
                        said = time.Elapsed;
                        _lastWord = _session.Clock.GetTimestamp();
                    }

                    if (_answers[number] is null)
                    {
                        await pipe.WriteAsync(time.Command(), cancellationToken).ConfigureAwait(false);
                        Take(await pipe.ReadAsync(time.Command(), cancellationToken).ConfigureAwait(false));
                    }

                    if (_answers[number] is { } answer)
                    {
                        return answer;
                    }

                    if (pipe.EndReason is { } end)
                    {
                        throw ErrorCatalogue.GuestPowerShellLost.With(_session.Endpoint, end);
                    }
                }
                finally
                {
                    _gate.Release();
                }

                if (time.IsOver)
                {
                    throw _process!.TimedOut(time, "it is still working on it");
                }

                await time.DelayAsync(pause, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _answers.TryRemove(number, out _);
        }
    }

    // An answer to somebody who no longer waits is dropped.
    private void Take(IReadOnlyList<PipeFrame> frames)
    {
        foreach (var frame in frames)
        {
            var texts = Encoding.UTF8.GetString(frame.Content).Split('\0');
            if (frame.Kind == 'a' && texts.Length >= 2)
            {
                _answers.TryUpdate(texts[0], new HelperAnswer(texts[1], [.. texts.Skip(2)]), null);
            }
        }
    }

    // Starts it unless it runs; null where it does then, else why it cannot. A read shows whether it is still there.
    private async Task<string?> EnsureAsync(OperationTime time, CancellationToken cancellationToken)
    {
        if (_pipe is { } pipe)
        {
            // One that is about to end by itself would not answer any more.
            var silence = _session.Clock.GetElapsedTime(_lastWord);
            Take(await pipe.ReadAsync(time.Command(), cancellationToken).ConfigureAwait(false));
            if (pipe.EndReason is null && silence < new TimeSpan(Patience.Ticks / 4 * 3))
            {
                _lastWord = _session.Clock.GetTimestamp();
                return null;
            }

            await CloseAsync().ConfigureAwait(false);
        }

        string? reason = null;
        foreach (var powerShell in PowerShells)
        {
            try
            {
                // What is wrong with the first, which Windows brings, says most.
                if (await StartAsync(powerShell, time, cancellationToken).ConfigureAwait(false) is not { } failure)
                {
                    return null;
                }

                reason ??= failure;
            }
            catch (GuestAgentException e) when (e.Is(ErrorCatalogue.ProcessNotStarted))
            {
                reason ??= $"{powerShell} could not be started there ({(e.InnerException as GuestAgentException)?.AgentErrorText?.TrimEnd('.')})";
            }
            catch (GuestAgentException e) when (e.Is(ErrorCatalogue.CommandDisabled) || e.Is(ErrorCatalogue.CommandNotFound))
            {
                return "its agent's policy forbids guest-exec";
            }
        }

        return reason;
    }

    // One that does not come up is given up once: the next mostly does.
    private async Task<string?> StartAsync(string powerShell, OperationTime time, CancellationToken cancellationToken)
    {
        try
        {
            var first = new OperationTime(_session.Clock, time.Attempt(StartTime));
            return await StartOnceAsync(powerShell, first, cancellationToken).ConfigureAwait(false);
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.ProcessTimedOut) && !time.IsOver)
        {
            return await StartOnceAsync(powerShell, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<string?> StartOnceAsync(string powerShell, OperationTime time, CancellationToken cancellationToken)
    {
        var name = WindowsPipe.NewName();
        var process = await GuestProcess.StartAsync(
            _session, WindowsScripts.Begin(powerShell, name), time, cancellationToken).ConfigureAwait(false);
        var (pipe, reason) = await process.GuardAsync(
            () => OpenAsync(process, name, time, cancellationToken), keepsOnTimeOut: false, time).ConfigureAwait(false);
        if (pipe is not null)
        {
            pipe.Add('h', WindowsScripts.Helper(Patience));
            _lastWord = _session.Clock.GetTimestamp();
            (_process, _pipe) = (process, pipe);
            _session.CleanupActions.TryAdd(CloseAsync);
        }

        return reason;
    }

    // Its pipe is there once its PowerShell has come so far.
    private async Task<(WindowsPipe? Pipe, string? Reason)> OpenAsync(
        GuestProcess process, string name, OperationTime time, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return (await WindowsPipe.OpenAsync(_session, name, time.WithoutSteps(), cancellationToken).ConfigureAwait(false), null);
            }
            catch (GuestAgentException e) when (e.Is(ErrorCatalogue.GuestFileNotOpened))
            {
                // Not yet.
            }

            if (await process.RefreshAsync(time.Command(), cancellationToken).ConfigureAwait(false) is { } end)
            {
                return (null, end.ExitCode == WindowsScripts.RestrictedExitCode
                    ? "its PowerShell is restricted by a policy (constrained language)"
                    : $"its PowerShell ended at once, with {end}");
            }

            if (time.IsOver)
            {
                throw process.TimedOut(time, "it is still starting");
            }

            await time.DelayAsync(StartPause, cancellationToken).ConfigureAwait(false);
        }
    }

    // Its programs have pipes of their own, which those close that use them.
    private async Task CloseAsync()
    {
        if (_pipe is not { } pipe)
        {
            return;
        }

        _pipe = null;
        _session.CleanupActions.Remove(CloseAsync);
        await pipe.CloseAsync().ConfigureAwait(false);

        // It notices soon. The agent keeps its end until that is asked for.
        await AbandonedCall.CleanUpAsync(() => _process!.RefreshAsync(
            new CallOptions { Timeout = AbandonedCall.CleanupTime })).ConfigureAwait(false);
    }
}
