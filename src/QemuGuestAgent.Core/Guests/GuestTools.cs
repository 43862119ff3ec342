using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests;

/// <summary>Runs programs of a guest for operations that need what they do.</summary>
internal static class GuestTools
{
    /// <summary>Runs a program that soon ends on its own.</summary>
    public static async Task<GuestExecutionStatus> RunToolAsync(
        this GuestAgentSession session, GuestExecution tool, OperationTime time, CancellationToken cancellationToken)
    {
        var process = await GuestProcess.StartAsync(session, tool, time, cancellationToken).ConfigureAwait(false);
        return await process.WaitForStatusAsync(time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs a program that must not continue after it is cancelled: it is then killed.</summary>
    public static async Task<GuestExecutionStatus> RunGuardedToolAsync(
        this GuestAgentSession session, GuestExecution tool, OperationTime time, CancellationToken cancellationToken)
    {
        var process = await GuestProcess.StartAsync(session, tool, time, cancellationToken).ConfigureAwait(false);
        return await process.GuardAsync(
            () => process.WaitForStatusAsync(time, cancellationToken), keepsOnTimeOut: false, time).ConfigureAwait(false);
    }

    /// <summary>Runs a program as far as the agent answers: for a caller that has cancelled and already has the reason.</summary>
    public static Task TryRunToolAsync(this GuestAgentSession session, GuestExecution tool)
    {
        var time = new OperationTime(session.Clock, new CallOptions { Timeout = AbandonedCall.CleanupTime });
        return AbandonedCall.CleanUpAsync(() => session.RunToolAsync(tool, time, CancellationToken.None));
    }
}
