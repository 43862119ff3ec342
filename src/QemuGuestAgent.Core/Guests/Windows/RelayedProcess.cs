using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Windows;

/// <summary>A program in a Windows guest that is run to its end, and whose output is read meanwhile.</summary>
internal sealed class RelayedProcess(
    WindowsPlatform platform, GuestAgentSession session, GuestProcessStart start, HostWatch watch, Func<GuestOutputKind, byte[], Task> take,
    OperationTime time)
{
    private static readonly TimeSpan FirstPoll = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan MaxPoll = TimeSpan.FromMilliseconds(500);

    private readonly OperationTime _asking = time.WithoutSteps();

    /// <summary>Runs it. If that is cancelled or times out, it is killed.</summary>
    public async Task<GuestProcessResult> RunAsync(bool keepsOnTimeOut, CancellationToken cancellationToken)
    {
        var program = await RelayedProgram.StartAsync(session, start, watch, time, cancellationToken).ConfigureAwait(false);
        program.AddInput(start.Input ?? []);
        program.EndInput();
        var (keeps, stopped) = (false, false);
        try
        {
            await FollowAsync(program, cancellationToken).ConfigureAwait(false);
            return program.Result([], start.KnownEncoding);
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.ProcessTimedOut))
        {
            if (keepsOnTimeOut)
            {
                keeps = true;
                throw;
            }

            stopped = true;
            var failure = await program.StopAsync(platform).ConfigureAwait(false);
            throw TimedOut(program, failure is null ? "it was killed" : $"it could not be killed: {failure.TrimEnd('.')}");
        }
        finally
        {
            if (keeps)
            {
                await program.LetGoAsync().ConfigureAwait(false);
            }
            else if (!stopped)
            {
                await program.StopAsync(platform).ConfigureAwait(false);
            }
        }
    }

    private async Task FollowAsync(RelayedProgram program, CancellationToken cancellationToken)
    {
        var quietSince = time.Elapsed;
        while (!program.HasEnded)
        {
            var isBusy = false;
            try
            {
                isBusy = await program.ExchangeAsync(_asking.Command(), cancellationToken).ConfigureAwait(false);
                while (program.Next() is var (kind, bytes))
                {
                    await HostSigns.WhileAsync(
                        take(kind, bytes), session.Clock, () => program.NextSign,
                        (unlimited, token) => program.ExchangeAsync(unlimited.Command(), token), cancellationToken).ConfigureAwait(false);
                }
            }
            catch (GuestAgentException e) when (e.Is(ErrorCatalogue.GuestFrozen))
            {
                // Nothing was done; it continues once the guest is thawed.
            }

            if (time.IsOver && !program.HasEnded)
            {
                throw TimedOut(program, "it is still running");
            }

            if (isBusy)
            {
                quietSince = time.Elapsed;
            }
            else if (!program.HasEnded)
            {
                var quiet = time.Elapsed - quietSince;
                var pause = new TimeSpan(Math.Min(MaxPoll.Ticks, Math.Max(FirstPoll.Ticks, quiet.Ticks / 4)));
                await time.DelayAsync(pause, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private GuestAgentException TimedOut(RelayedProgram program, string state) =>
        GuestProcess.TimedOut(session, start.FilePath, program.ProcessId, time, state);
}
