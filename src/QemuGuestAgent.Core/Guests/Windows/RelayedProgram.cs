using System.Buffers.Binary;
using System.Text;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Windows;

/// <summary>
/// A program in a Windows guest whose input and output a script carries (Relay.ps1). Without a sign of life of this side for a while, or
/// when the agent ends, the guest kills it. For one caller at a time, but for its input.
/// </summary>
internal sealed class RelayedProgram
{
    private const int InputBytes = 32 << 10;

    // Bytes on their way that the program has not taken: more would wait in the guest's memory.
    private const int MaxUntaken = 8;

    private static readonly TimeSpan KillTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan KillPause = TimeSpan.FromMilliseconds(20);

    private readonly GuestAgentSession _session;
    private readonly HostWatch _watch;
    private readonly WindowsPipe _pipe;
    private readonly Queue<byte[]> _input = new();
    private readonly Queue<(GuestOutputKind Kind, byte[] Bytes)> _output = new();
    private bool _endsInput;
    private int _untaken;
    private readonly long _started;
    private long _lastSign;
    private int? _exitCode;

    private RelayedProgram(GuestAgentSession session, HostWatch watch, WindowsPipe pipe, string filePath)
    {
        _session = session;
        _watch = watch;
        _pipe = pipe;
        FilePath = filePath;

        // The first sign starts it.
        _pipe.Add('b', []);
        _started = _lastSign = session.Clock.GetTimestamp();
    }

    /// <summary>The program.</summary>
    public string FilePath { get; }

    /// <summary>Its id in the guest, once it was started.</summary>
    public long? ProcessId { get; private set; }

    /// <summary>Whether it has ended; what it wrote before that may still be there to take.</summary>
    public bool HasEnded => _exitCode is not null;

    /// <summary>How long it is until a sign of life is due.</summary>
    public TimeSpan NextSign => _watch.Heartbeat - _session.Clock.GetElapsedTime(_lastSign);

    /// <summary>Starts a program.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="start">The program. Its input is not sent.</param>
    /// <param name="watch">When the guest takes the host for gone.</param>
    /// <param name="time">The operation's time.</param>
    /// <param name="cancellationToken">Cancels the operation; then the guest forgets it.</param>
    /// <exception cref="GuestAgentException">GuestPowerShellUnusable, GuestPowerShellLost, BatchArgumentInvalid, and those of a command.</exception>
    public static async Task<RelayedProgram> StartAsync(
        GuestAgentSession session, GuestProcessStart start, HostWatch watch, OperationTime time, CancellationToken cancellationToken)
    {
        var program = WindowsProgram.Of(start);
        var (helper, reason) = await WindowsHelper.FindAsync(session, time, cancellationToken).ConfigureAwait(false);
        if (helper is null)
        {
            throw ErrorCatalogue.GuestPowerShellUnusable.WithTarget(
                start.FilePath, $"Running '{start.FilePath}' in this way", session.Endpoint, reason);
        }

        var patience = new TimeSpan(watch.Look.Ticks * watch.MaxMissed);
        var pipe = await helper.StartProgramAsync(WindowsPipe.NewName(), program, patience, time, cancellationToken).ConfigureAwait(false);
        return new RelayedProgram(session, watch, pipe, start.FilePath);
    }

    /// <summary>Takes bytes for its standard input. From any thread.</summary>
    public void AddInput(byte[] bytes)
    {
        lock (_input)
        {
            for (var done = 0; done < bytes.Length; done += InputBytes)
            {
                _input.Enqueue(bytes.AsSpan(done, Math.Min(InputBytes, bytes.Length - done)).ToArray());
            }
        }
    }

    /// <summary>Ends its standard input after what was added.</summary>
    public void EndInput()
    {
        lock (_input)
        {
            _endsInput = true;
        }
    }

    /// <summary>Sends what there is, and reads what has come; whether there was anything.</summary>
    /// <exception cref="GuestAgentException">ProcessNotStarted, GuestPowerShellLost, and those of a command.</exception>
    public async Task<bool> ExchangeAsync(CallOptions call, CancellationToken cancellationToken)
    {
        if (NextSign <= TimeSpan.Zero)
        {
            _pipe.Add('b', []);
            _lastSign = _session.Clock.GetTimestamp();
        }

        AddFrames();
        var isBusy = await _pipe.WriteAsync(call, cancellationToken).ConfigureAwait(false);
        var frames = await _pipe.ReadAsync(call, cancellationToken).ConfigureAwait(false);
        foreach (var frame in frames)
        {
            Take(frame);
        }

        return frames.Count > 0 || _pipe.EndReason is not { } reason || HasEnded ? isBusy || frames.Count > 0
            : throw ErrorCatalogue.GuestPowerShellLost.With(_session.Endpoint, reason);
    }

    /// <summary>What it wrote, in the order in which it came; null where there is nothing now.</summary>
    public (GuestOutputKind Kind, byte[] Bytes)? Next() => _output.Count > 0 ? _output.Dequeue() : null;

    /// <summary>How it ended.</summary>
    /// <param name="errors">What it wrote to standard error, where that was kept.</param>
    /// <param name="encoding">The encoding of that.</param>
    public GuestProcessResult Result(byte[] errors, Encoding encoding) =>
        new(ProcessId ?? 0, _exitCode, null, [], errors, false, _session.Clock.GetElapsedTime(_started), encoding);

    /// <summary>Leaves it to itself, as far as the agent answers: what it writes is dropped.</summary>
    public Task LetGoAsync() => EndAsync('l');

    /// <summary>Kills it and what it has started, unless it has ended, and closes its pipe; null where it is dead, otherwise why it may not be.</summary>
    public async Task<string?> StopAsync(GuestPlatform platform)
    {
        var time = new OperationTime(_session.Clock, new CallOptions { Timeout = KillTime });
        if (HasEnded || ProcessId is not { } id || _pipe.EndReason is null)
        {
            // The script kills it, and then closes its end.
            await EndAsync('k').ConfigureAwait(false);
            return null;
        }

        // The script is dead.
        await _pipe.CloseAsync().ConfigureAwait(false);
        try
        {
            return await platform.KillTreeAsync(_session, id, time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (GuestAgentException e)
        {
            return e.Message;
        }
    }

    private async Task EndAsync(char kind)
    {
        var time = new OperationTime(_session.Clock, new CallOptions { Timeout = KillTime });
        _pipe.Add(kind, []);
        await AbandonedCall.CleanUpAsync(async () =>
        {
            // What it still wants to write must not keep it from reading that.
            while (_pipe.EndReason is null && !time.IsOver)
            {
                await _pipe.WriteAsync(time.Command(), CancellationToken.None).ConfigureAwait(false);
                if ((await _pipe.ReadAsync(time.Command(), CancellationToken.None).ConfigureAwait(false)).Count == 0)
                {
                    await time.DelayAsync(KillPause, CancellationToken.None).ConfigureAwait(false);
                }
            }
        }).ConfigureAwait(false);
        await _pipe.CloseAsync().ConfigureAwait(false);
    }

    private void AddFrames()
    {
        lock (_input)
        {
            for (; _untaken < MaxUntaken && _input.Count > 0; _untaken++)
            {
                _pipe.Add('i', _input.Dequeue());
            }

            if (_endsInput && _input.Count == 0)
            {
                _endsInput = false;
                _pipe.Add('c', []);
            }
        }
    }

    private void Take(PipeFrame frame)
    {
        switch (frame.Kind)
        {
            case 'o':
                _output.Enqueue((GuestOutputKind.Output, frame.Content));
                break;
            case 'e':
                _output.Enqueue((GuestOutputKind.Error, frame.Content));
                break;
            case 'r':
                _untaken--;
                break;
            case 's' when frame.Content.Length == sizeof(int):
                ProcessId = BinaryPrimitives.ReadUInt32LittleEndian(frame.Content);
                break;
            case 'x' when frame.Content.Length == sizeof(int):
                _exitCode = BinaryPrimitives.ReadInt32LittleEndian(frame.Content);
                break;
            case 'f':
                throw ErrorCatalogue.ProcessNotStarted.With(FilePath, _session.Endpoint, Encoding.UTF8.GetString(frame.Content).Trim());
            default:
                throw ErrorCatalogue.GuestPowerShellLost.With(_session.Endpoint, "what it sends makes no sense.");
        }
    }
}
