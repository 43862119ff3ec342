using System.Text;
using System.Text.RegularExpressions;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Posix;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations.Terminals;

/// <summary>A shell in a terminal of a guest, joined with a terminal here. Other commands of the session go on meanwhile.</summary>
public sealed class GuestTerminal
{
    // Nothing tells of a new size on every system.
    private static readonly TimeSpan SizeLook = TimeSpan.FromMilliseconds(500);

    private static readonly Regex SafeName = new("^[A-Za-z0-9][A-Za-z0-9+._-]{0,63}$", RegexOptions.CultureInvariant);

    // What a program that is left in the middle may have switched on: the other screen, a hidden cursor, the mouse, marked pastes, other
    // codes of keys, colours.
    private static readonly byte[] Reset = Encoding.ASCII.GetBytes("\u001B[?47l\u001B[?25h\u001B[?1000;1002;1003;1004;1006;2004l\u001B[?1l\u001B>\u001B[0m\r\n");

    private readonly GuestAgentSession _session;
    private readonly PosixTerminal _channel;
    private readonly TerminalSize _startSize;
    private readonly object _shownLock = new();
    private bool _isLeft;

    private GuestTerminal(GuestAgentSession session, PosixTerminal channel, InteractiveProcess shell, TerminalSize startSize)
    {
        _session = session;
        _channel = channel;
        Shell = shell;
        _startSize = startSize;
    }

    /// <summary>The user in the guest.</summary>
    public string UserName => SafeText.Escape(_channel.UserName);

    /// <summary>Whether the guest has nothing that brings a terminal: then its shell reads lines.</summary>
    public bool IsByLine => _channel.Way == TerminalWay.None;

    /// <summary>The shell, and what else has the terminal there.</summary>
    public InteractiveProcess Shell { get; }

    /// <summary>Whether a guest can have terminals: Windows cannot.</summary>
    /// <exception cref="GuestAgentException">Those of a command.</exception>
    public static async Task<bool> IsForAsync(GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default) =>
        (await GuestPlatform.FindAsync(session, new OperationTime(session.Clock, call), cancellationToken).ConfigureAwait(false)).HasTerminals;

    /// <summary>Opens one. If that is cancelled, nothing is left in the guest.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="start">Which shell, and how its terminal is.</param>
    /// <param name="call">Time limit and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="GuestAgentException">NotInWindowsGuest, TerminalNotOpened, OutputFileNotMade, and those of running a program.</exception>
    public static Task<GuestTerminal> OpenAsync(
        GuestAgentSession session, GuestTerminalStart start, CallOptions? call = null, CancellationToken cancellationToken = default) =>
        OpenAsync(session, start, HostWatch.Usual, call, cancellationToken);

    internal static async Task<GuestTerminal> OpenAsync(
        GuestAgentSession session, GuestTerminalStart start, HostWatch watch, CallOptions? call, CancellationToken cancellationToken)
    {
        var time = new OperationTime(session.Clock, call);
        start = SafeName.IsMatch(start.TerminalName) ? start : start with { TerminalName = "xterm" };
        var platform = await GuestPlatform.FindAsync(session, time, cancellationToken).ConfigureAwait(false);
        var channel = platform.HasTerminals
            ? await PosixTerminal.CreateAsync(session, start, watch, time, cancellationToken).ConfigureAwait(false)
            : throw ErrorCatalogue.NotInWindowsGuest.WithTarget("Terminal", "A terminal", session.Endpoint);
        var shell = await InteractiveProcess.StartAsync(
            session, start.ShellPath ?? "the shell", channel, time, cancellationToken).ConfigureAwait(false);
        return new GuestTerminal(session, channel, shell, start.Size);
    }

    /// <summary>Joins it with a terminal here until the shell ends or the user leaves; then nothing of it is left in the guest.</summary>
    /// <param name="here">The terminal here, which is put back and disposed of.</param>
    /// <param name="escape">The key that leaves.</param>
    /// <param name="cancellationToken">Leaves it.</param>
    /// <returns>The shell's exit code; null where it was left.</returns>
    /// <exception cref="GuestAgentException">InteractiveProcessEnded, InteractiveProcessLost, SessionClosed, and those of a command.</exception>
    public async Task<int?> RunAsync(LocalTerminal here, EscapeCharacter escape, CancellationToken cancellationToken = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var hasEnded = false;
        Task typing = Task.CompletedTask, sizing = Task.CompletedTask;
        try
        {
            if (!IsByLine)
            {
                here.EnterRaw();
                sizing = FollowSizeAsync(here, stop.Token);
            }

            var guest = Shell.RunToEndAsync(bytes => Show(here, bytes));
            typing = Task.Factory.StartNew(
                () => Type(here, escape, stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            if (await Task.WhenAny(guest, typing).ConfigureAwait(false) == typing)
            {
                return null;
            }

            // Without an end, somebody else has closed it, as with its session.
            var end = await guest.ConfigureAwait(false) ?? throw ErrorCatalogue.SessionClosed.With(_session.Endpoint);
            hasEnded = end.ExitCode is not null && end.StandardError.Length == 0;
            return hasEnded ? end.ExitCode : throw Shell.Failure(end);
        }
        finally
        {
            // The user has the terminal back before the guest is tidied up.
            stop.Cancel();
            await Task.WhenAll(typing, sizing).ConfigureAwait(false);
            try
            {
                Leave(here, hasEnded);
            }
            finally
            {
                await Shell.CloseAsync().ConfigureAwait(false);
            }
        }
    }

    private void Show(LocalTerminal here, byte[] bytes)
    {
        lock (_shownLock)
        {
            if (!_isLeft)
            {
                here.Write(bytes);
            }
        }
    }

    private void Leave(LocalTerminal here, bool hasEnded)
    {
        lock (_shownLock)
        {
            _isLeft = true;
        }

        using (here)
        {
            if (!hasEnded)
            {
                here.Write(Reset);
            }
        }
    }

    private void Type(LocalTerminal here, EscapeCharacter escape, CancellationToken cancellationToken)
    {
        var buffer = new byte[16 << 10];
        try
        {
            while (here.Read(buffer, cancellationToken) is > 0 and var count)
            {
                var before = escape.CountBefore(buffer.AsSpan(0, count));
                Shell.Send(buffer.AsSpan(0, before).ToArray());
                if (before < count)
                {
                    return;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The other side has ended.
        }
    }

    private async Task FollowSizeAsync(LocalTerminal here, CancellationToken cancellationToken)
    {
        var told = _startSize;
        using var changed = new SemaphoreSlim(0);
        here.Resized += Tell;
        try
        {
            while (true)
            {
                await changed.WaitAsync(SizeLook, cancellationToken).ConfigureAwait(false);
                var size = here.Size;
                if (size != told && await TryResizeAsync(size, cancellationToken).ConfigureAwait(false))
                {
                    told = size;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // It was left.
        }
        catch (GuestAgentException)
        {
            // So does the next exchange, which tells.
        }
        finally
        {
            here.Resized -= Tell;
        }

        void Tell() => changed.Release();
    }

    // False where it is to be tried again.
    private async Task<bool> TryResizeAsync(TerminalSize size, CancellationToken cancellationToken)
    {
        try
        {
            return await _channel.TryResizeAsync(size, new OperationTime(_session.Clock, null), cancellationToken).ConfigureAwait(false);
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.GuestFrozen))
        {
            return false;
        }
    }
}
