using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Processes;

/// <summary>Signs of life for a guest that would otherwise take the host for gone.</summary>
internal static class HostSigns
{
    /// <summary>Gives them while somebody takes what came, which may take long.</summary>
    /// <param name="taken">Ends when it was taken.</param>
    /// <param name="clock">The session's clock.</param>
    /// <param name="next">How long it is until one is due.</param>
    /// <param name="give">Gives one.</param>
    /// <param name="cancellationToken">Ends the signs.</param>
    public static async Task WhileAsync(
        Task taken, TimeProvider clock, Func<TimeSpan> next, Func<OperationTime, CancellationToken, Task> give,
        CancellationToken cancellationToken)
    {
        var unlimited = new OperationTime(clock, new CallOptions { Timeout = TimeSpan.Zero });
        while (!taken.IsCompleted)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var due = unlimited.DelayAsync(next() > TimeSpan.Zero ? next() : TimeSpan.Zero, stop.Token);
            if (await Task.WhenAny(taken, due).ConfigureAwait(false) == taken)
            {
                stop.Cancel();
                break;
            }

            try
            {
                await due.ConfigureAwait(false);
                await give(unlimited, cancellationToken).ConfigureAwait(false);
            }
            catch (GuestAgentException)
            {
                // A frozen guest's is followed by the next; a connection that was lost is told by the next command.
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        await taken.ConfigureAwait(false);
    }
}
