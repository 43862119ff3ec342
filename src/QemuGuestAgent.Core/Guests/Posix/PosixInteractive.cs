using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>An interactive program in a guest that has a POSIX shell: its input is a named pipe, its output a file.</summary>
internal sealed class PosixInteractive(
    GuestAgentSession session, GuestExecution program, string? userName, HostWatch watch) : InteractiveChannel
{
    private const int ReadBytes = 64 << 10;

    private static readonly TimeSpan StatusInterval = TimeSpan.FromMilliseconds(500);

    private readonly OutputFiles _files = new(session, watch);
    private readonly byte[] _buffer = new byte[ReadBytes];
    private GuestProcess? _process;
    private InteractiveInput? _input;
    private GuestFile? _output;
    private GuestProcessResult? _end;
    private long? _lastStatus;

    /// <inheritdoc/>
    public override async Task StartAsync(OperationTime time, CancellationToken cancellationToken)
    {
        await _files.CreateAsync([InteractiveScript.Input, InteractiveScript.Pipe], time, cancellationToken).ConfigureAwait(false);
        _output = await _files.OpenAsync(OutputFiles.Output, "r", time, cancellationToken).ConfigureAwait(false);

        // With 'w' it could not be opened before its reader is there.
        _input = new InteractiveInput(
            session, await _files.OpenAsync(InteractiveScript.Input, "r+", time, cancellationToken).ConfigureAwait(false));
        _process = await GuestProcess.StartAsync(
            session, InteractiveScript.Prepare(_files, userName, watch, program), time, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override void Send(byte[] bytes) => _input!.Add(bytes);

    /// <inheritdoc/>
    public override async Task<InteractiveTurn> ExchangeAsync(CallOptions call, CancellationToken cancellationToken)
    {
        var isBusy = _end is null && await _input!.WriteAsync(call, cancellationToken).ConfigureAwait(false);
        var count = await session.ReadFileAsync(_output!.Handle, _buffer, ReadBytes, call, cancellationToken).ConfigureAwait(false);
        if (count == 0 && _end is not null)
        {
            return new InteractiveTurn([], true, _end);
        }

        var time = new OperationTime(session.Clock, call);
        var output = _buffer.AsSpan(0, count).ToArray();
        try
        {
            await _files.FreeAsync(OutputFiles.Output, count, time, cancellationToken).ConfigureAwait(false);
            await _files.GiveSignAsync(time, cancellationToken).ConfigureAwait(false);

            // What it wrote before its end is read after that was seen.
            if (_end is null && !(_lastStatus is { } last && session.Clock.GetElapsedTime(last) < StatusInterval))
            {
                _end = await _process!.RefreshAsync(call, cancellationToken).ConfigureAwait(false);
                isBusy |= _end is not null;
                _lastStatus = session.Clock.GetTimestamp();
            }
        }
        catch (GuestAgentException e) when (count > 0 && e.Is(ErrorCatalogue.GuestFrozen))
        {
            // What was read is not lost; the rest is done once the guest is thawed.
        }

        return new InteractiveTurn(output, isBusy || count > 0, null);
    }

    /// <inheritdoc/>
    public override async Task CloseAsync(OperationTime time)
    {
        await _files.CloseAsync().ConfigureAwait(false);
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
        await _files.RemoveAsync(keepsProgram: false).ConfigureAwait(false);
    }
}
