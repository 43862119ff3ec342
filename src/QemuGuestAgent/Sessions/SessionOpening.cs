using System.Collections.Concurrent;
using System.Management.Automation;
using QemuGuestAgent.Core.Operations.Freezing;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent;

/// <summary>Hands over the sessions that a cmdlet opens, and closes those that were not handed over.</summary>
internal sealed class SessionOpening(PSCmdlet cmdlet) : IDisposable
{
    // Opened, but not handed over yet: they must be closed here if the pipeline is stopped now.
    private readonly ConcurrentDictionary<AgentSession, bool> _unwritten = new();

    /// <summary>Opens a session, and returns an action for the pipeline's thread that writes it.</summary>
    public async Task<Action> OpenAsync(string name, Task<GuestAgentSession> opening, CallOptions call, CancellationToken cancellationToken)
    {
        var session = new AgentSession(name, await opening.ConfigureAwait(false));
        _unwritten.TryAdd(session, true);
        var warn = await WarnIfFrozenAsync(cmdlet, session, call, cancellationToken).ConfigureAwait(false);
        return () =>
        {
            warn();
            SessionRegistry.OfThisRunspace.Add(session);
            _unwritten.TryRemove(session, out _);
            cmdlet.WriteObject(session);
        };
    }

    /// <summary>Returns an action that warns about a frozen guest, such as one that a script left frozen.</summary>
    public static async Task<Action> WarnIfFrozenAsync(PSCmdlet cmdlet, AgentSession session, CallOptions call, CancellationToken cancellationToken)
    {
        var isFrozen = await session.Core.IsFoundFrozenAsync(call, cancellationToken).ConfigureAwait(false);
        return isFrozen
            ? () => cmdlet.WriteWarning(
                $"The guest '{session.Name}' is frozen: all writes in it wait. If no snapshot of it is in progress, thaw it with Resume-QemuGuestFileSystem.")
            : () => { };
    }

    /// <summary>Closes the sessions that were not handed over.</summary>
    public void Dispose()
    {
        foreach (var session in _unwritten.Keys)
        {
            SessionRegistry.Close(session);
        }
    }
}
