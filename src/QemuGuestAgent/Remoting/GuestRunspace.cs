#if NET
using System.Management.Automation.Host;
using System.Management.Automation.Runspaces;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Processes;

namespace QemuGuestAgent.Remoting;

/// <summary>Opens runspaces in a guest.</summary>
/// <param name="session">The session with the guest's agent.</param>
/// <param name="ownsSession">Whether the session is closed with the runspace.</param>
/// <param name="host">The host of this PowerShell, which shows what the guest's writes to its own.</param>
internal sealed class GuestRunspace(AgentSession session, bool ownsSession, PSHost host)
{
    /// <summary>The user in the guest; null for the agent's user.</summary>
    public string? UserName { get; init; }

    /// <summary>Starts a PowerShell in the guest, and opens a runspace in it.</summary>
    /// <param name="guestName">What the guest is called.</param>
    /// <param name="name">What the runspace is called.</param>
    /// <param name="shellPath">The PowerShell; null for the usual one.</param>
    /// <param name="time">The operation's time.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<Runspace> OpenAsync(
        string guestName, string name, string? shellPath, OperationTime time, CancellationToken cancellationToken)
    {
        var shell = await GuestShell.FindAsync(session.Core, shellPath, time.Rest(), cancellationToken).ConfigureAwait(false);
        var transport = await StartShellAsync(shell, time, cancellationToken).ConfigureAwait(false);
        var runspace = RunspaceFactory.CreateRunspace(
            EngineTypes.Connection(transport, guestName), host, TypeTable.LoadDefaultTypeFiles(), null, name);
        await OpenAsync(runspace, transport, shell, time, cancellationToken).ConfigureAwait(false);
        return runspace;
    }

    private async Task<GuestTransport> StartShellAsync(
        GuestShell shell, OperationTime time, CancellationToken cancellationToken)
    {
        try
        {
            var process = await InteractiveProcess.StartAsync(
                session.Core, shell.Path, shell.Arguments, UserName, time.Rest(), cancellationToken).ConfigureAwait(false);
            return new GuestTransport(session, process, ownsSession);
        }
        catch when (ownsSession)
        {
            session.Core.Dispose();
            throw;
        }
    }

    private async Task OpenAsync(
        Runspace runspace, GuestTransport transport, GuestShell shell, OperationTime time, CancellationToken cancellationToken)
    {
        var changed = new TaskCompletionSource<RunspaceStateInfo>(TaskCreationOptions.RunContinuationsAsynchronously);
        runspace.StateChanged += (_, change) =>
        {
            if (change.RunspaceStateInfo.State is RunspaceState.Opened or RunspaceState.Broken or RunspaceState.Closed)
            {
                changed.TrySetResult(change.RunspaceStateInfo);
            }
        };
        try
        {
            runspace.OpenAsync();
            var left = time.Rest().Timeout is { Ticks: > 0 } limit ? limit : Timeout.InfiniteTimeSpan;
            var state = await changed.Task.WaitAsync(left, cancellationToken).ConfigureAwait(false);
            if (state.State != RunspaceState.Opened)
            {
                throw state.Reason?.InnerException as GuestAgentException ?? NotOpened(state.Reason?.Message);
            }
        }
        catch (TimeoutException)
        {
            throw Abort(NotOpened($"it did not respond within {time.Limit.TotalSeconds} seconds."));
        }
        catch (OperationCanceledException)
        {
            Abort(ErrorCatalogue.SessionClosed.WithTarget(session, session.Endpoint));
            throw;
        }
        catch (GuestAgentException)
        {
            runspace.Dispose();
            throw;
        }

        GuestAgentException NotOpened(string? reason) => ErrorCatalogue.RemotingNotOpened.WithTarget(session, shell.Path, session.Endpoint, reason);

        // Without the failure PowerShell would wait for an answer.
        GuestAgentException Abort(GuestAgentException failure)
        {
            transport.Fail(failure);
            runspace.Dispose();
            return failure;
        }
    }
}
#endif
