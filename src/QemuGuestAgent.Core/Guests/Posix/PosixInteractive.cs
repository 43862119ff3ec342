using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>An interactive program in a guest that has a POSIX shell: its input is a named pipe, its output a file.</summary>
/// <param name="session">The session with the guest's agent.</param>
/// <param name="watch">When the guest takes the host for gone.</param>
/// <param name="pipes">The named pipes in its folder; the first is its input.</param>
/// <param name="prepare">What to start, once the folder is there.</param>
internal class PosixInteractive(
    GuestAgentSession session, HostWatch watch, IReadOnlyList<string> pipes, Func<OutputFiles, GuestExecution> prepare) : InteractiveChannel
{
    private const int ReadBytes = 64 << 10;

    private static readonly TimeSpan StatusInterval = TimeSpan.FromMilliseconds(500);

    // An agent that was restarted does not answer what its predecessor was asked.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly byte[] _buffer = new byte[ReadBytes];
    private GuestProcess? _process;
    private InteractiveInput? _input;
    private GuestFile? _output;
    private GuestProcessResult? _end;
    private long? _lastStatus;
    private long _read;

    /// <summary>The folder that it has in the guest.</summary>
    protected OutputFiles Files { get; } = new(session, watch);

    /// <summary>Opens what further named pipes it has.</summary>
    protected virtual Task OpenPipesAsync(OperationTime time, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>A named pipe of the folder, to write to.</summary>
    protected async Task<InteractiveInput> OpenPipeAsync(string name, OperationTime time, CancellationToken cancellationToken)
    {
        // With 'w' it could not be opened before its reader is there.
        return new InteractiveInput(session, await Files.OpenAsync(name, "r+", time, cancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public override async Task StartAsync(OperationTime time, CancellationToken cancellationToken)
    {
        await Files.CreateAsync(pipes, time, cancellationToken).ConfigureAwait(false);
        _output = await Files.OpenAsync(OutputFiles.Output, "r", time, cancellationToken).ConfigureAwait(false);
        _input = await OpenPipeAsync(pipes[0], time, cancellationToken).ConfigureAwait(false);
        await OpenPipesAsync(time, cancellationToken).ConfigureAwait(false);
        _process = await GuestProcess.StartAsync(session, prepare(Files), time, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override void Send(byte[] bytes) => _input!.Add(bytes);

    /// <inheritdoc/>
    public override void ConfirmRead(long count) => _input!.ConfirmRead(count);

    /// <inheritdoc/>
    public override async Task<InteractiveTurn> ExchangeAsync(CallOptions call, CancellationToken cancellationToken)
    {
        var isBusy = _end is null && await _input!.WriteAsync(call, cancellationToken).ConfigureAwait(false);
        var count = await AskAsync(
            brief => session.ReadFileAsync(_output!.Handle, _buffer, ReadBytes, brief, cancellationToken), call, cancellationToken)
            .ConfigureAwait(false);
        _read += count;
        if (count == 0 && _end is not null)
        {
            return new InteractiveTurn([], true, _end);
        }

        var time = new OperationTime(session.Clock, call);
        var output = _buffer.AsSpan(0, count).ToArray();
        try
        {
            await Files.FreeAsync(OutputFiles.Output, count, time, cancellationToken).ConfigureAwait(false);
            await Files.GiveSignAsync(time, cancellationToken).ConfigureAwait(false);

            // What it wrote before its end is read after that was seen.
            if (_end is null && !(_lastStatus is { } last && session.Clock.GetElapsedTime(last) < StatusInterval))
            {
                _end = await AskAsync(brief => _process!.RefreshAsync(brief, cancellationToken), call, cancellationToken).ConfigureAwait(false);
                isBusy |= _end is not null;
                _lastStatus = session.Clock.GetTimestamp();
            }
        }
        catch (GuestAgentException e) when (count > 0 && AbandonedCall.IsPostponed(e))
        {
            // What was read is not lost; the rest is done later.
        }

        return new InteractiveTurn(output, isBusy || count > 0, null);
    }

    /// <inheritdoc/>
    public override async Task CloseAsync(OperationTime time)
    {
        await Files.CloseAsync().ConfigureAwait(false);
        try
        {
            // Its input has ended: so does a program that reads it, and the shell tidies up.
            if (_process is { } process)
            {
                await process.WaitForStatusAsync(time, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.ProcessTimedOut))
        {
            await _process!.TryStopAsync().ConfigureAwait(false);
        }

        // The shell was killed, here or when its start was cancelled.
        await Files.RemoveAsync(keepsProgram: false).ConfigureAwait(false);
    }

    // Where there is no answer, the agent has the whole time for another question: one that knows the file still was only busy, and what it
    // has read for a reply that came too late is read again.
    private async Task<T?> AskAsync<T>(Func<CallOptions, Task<T>> ask, CallOptions call, CancellationToken cancellationToken)
    {
        try
        {
            return await ask(call with { Timeout = Patience }).ConfigureAwait(false);
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.CommandTimedOut))
        {
            await session.SeekFileAsync(_output!.Handle, _read, "set", call, cancellationToken).ConfigureAwait(false);
            return default;
        }
    }
}
