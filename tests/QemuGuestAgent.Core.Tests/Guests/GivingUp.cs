using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Guests;

/// <summary>Gives up an operation again and again, so that each of its commands is the last one once.</summary>
internal static class GivingUp
{
    /// <summary>Runs it until it comes to its end; how many commands that took.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="check">Looks at what is left after each time that it was given up.</param>
    public static async Task<int> AtEveryCommandAsync(Func<CallOptions, CancellationToken, Task> operation, Func<Task> check)
    {
        for (var commands = 1; ; commands++)
        {
            using var stop = new CancellationTokenSource();
            var left = commands;
            var call = new CallOptions
            {
                Timeout = TimeSpan.Zero,
                Trace = happened =>
                {
                    if (happened.Kind == TraceKind.Sent && --left == 0)
                    {
                        stop.Cancel();
                    }
                },
            };
            try
            {
                await operation(call, stop.Token).OrHang();
                return commands - 1;
            }
            catch (OperationCanceledException)
            {
                await check();
            }
        }
    }
}
