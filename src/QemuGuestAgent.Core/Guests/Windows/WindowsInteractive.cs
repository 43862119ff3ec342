using System.Text;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Windows;

/// <summary>An interactive program in a Windows guest: a script there carries its input and output.</summary>
internal sealed class WindowsInteractive(
    WindowsPlatform platform, GuestAgentSession session, GuestExecution program, HostWatch watch) : InteractiveChannel
{
    // What a program that ended early says.
    private const int MaxErrors = 8 << 10;

    private static readonly TimeSpan EndPause = TimeSpan.FromMilliseconds(20);

    private readonly List<byte> _errors = [];
    private RelayedProgram? _relayed;

    /// <inheritdoc/>
    public override async Task StartAsync(OperationTime time, CancellationToken cancellationToken)
    {
        var start = new GuestProcessStart(program.Path) { Arguments = program.Arguments };
        _relayed = await RelayedProgram.StartAsync(session, start, watch, time, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override void Send(byte[] bytes) => _relayed!.AddInput(bytes);

    /// <inheritdoc/>
    public override async Task<InteractiveTurn> ExchangeAsync(CallOptions call, CancellationToken cancellationToken)
    {
        var relayed = _relayed!;
        var isBusy = !relayed.HasEnded && await relayed.ExchangeAsync(call, cancellationToken).ConfigureAwait(false);
        var output = new MemoryStream();
        while (relayed.Next() is var (kind, bytes))
        {
            if (kind == GuestOutputKind.Output)
            {
                output.Write(bytes, 0, bytes.Length);
            }
            else if (_errors.Count < MaxErrors)
            {
                _errors.AddRange(bytes);
            }
        }

        var end = relayed.HasEnded && output.Length == 0 ? relayed.Result([.. _errors], Encoding.UTF8) : null;
        return new InteractiveTurn(output.ToArray(), isBusy, end);
    }

    /// <inheritdoc/>
    public override async Task CloseAsync(OperationTime time)
    {
        if (_relayed is not { } relayed)
        {
            return;
        }

        // Its input has ended: so does a program that reads it.
        relayed.EndInput();
        try
        {
            while (!relayed.HasEnded && !time.IsOver)
            {
                var isBusy = await relayed.ExchangeAsync(time.Command(), CancellationToken.None).ConfigureAwait(false);
                await time.DelayAsync(isBusy ? TimeSpan.Zero : EndPause, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.GuestPowerShellLost) || e.Is(ErrorCatalogue.ProcessNotStarted))
        {
            // Who spoke with it has been told.
        }

        await relayed.StopAsync(platform).ConfigureAwait(false);
    }
}
