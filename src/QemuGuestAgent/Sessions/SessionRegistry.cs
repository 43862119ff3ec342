using System.Collections.Concurrent;
using System.Management.Automation.Runspaces;
using QemuGuestAgent.Core;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent;

/// <summary>The sessions that a runspace opened. They close with it.</summary>
internal sealed class SessionRegistry
{
    private static readonly ConcurrentDictionary<Guid, SessionRegistry> Runspaces = new();

    private readonly object _lock = new();
    private readonly List<AgentSession> _sessions = [];

    // A process that ends normally does not close its runspaces.
    static SessionRegistry() => ProcessEnd.AtLast(() =>
    {
        foreach (var registry in Runspaces.Values)
        {
            registry.CloseAll();
        }

        return Task.CompletedTask;
    });

    /// <summary>The sessions of the runspace of this thread.</summary>
    public static SessionRegistry OfThisRunspace =>
        Runspaces.TryGetValue(Runspace.DefaultRunspace.InstanceId, out var registry) ? registry : Attach(Runspace.DefaultRunspace);

    /// <summary>The open sessions, in the order they were opened.</summary>
    public IReadOnlyList<AgentSession> Sessions
    {
        get
        {
            lock (_lock)
            {
                return [.. _sessions];
            }
        }
    }

    /// <summary>The open sessions whose names match; an error if a name without wildcards matches none.</summary>
    public IReadOnlyList<AgentSession> Find(string name)
    {
        var pattern = NameFilter.PatternOf(name);
        var found = Sessions.Where(session => pattern.IsMatch(session.Name) || pattern.IsMatch(session.FullName)).ToList();
        return found.Count > 0 || NameFilter.HasWildcards(name) ? found : throw ErrorCatalogue.SessionNotFound.With(name);
    }

    /// <summary>The error of a channel that a session of this process holds: to wait for it would be to wait for itself.</summary>
    public static GuestAgentException InUse(GuestAgentEndpoint endpoint) =>
        ErrorCatalogue.EndpointInUse.With(endpoint, "another session of this process");

    /// <summary>Whether a session of this process, of any runspace, holds the channel of an endpoint.</summary>
    public static bool IsOpen(GuestAgentEndpoint endpoint) => endpoint.LockName is { } name
        && Runspaces.Values.SelectMany(registry => registry.Sessions).Any(session => session.ChannelName == name);

    /// <summary>The open session with that number.</summary>
    public AgentSession Find(int id) => Sessions.FirstOrDefault(session => session.Id == id) ?? throw ErrorCatalogue.SessionNotFound.With(id);

    /// <summary>Adds a session just opened, and gives it its number.</summary>
    public void Add(AgentSession session)
    {
        session.TakeId();
        lock (_lock)
        {
            _sessions.Add(session);
        }
    }

    /// <summary>Closes a session, whichever runspace opened it.</summary>
    public static void Close(AgentSession session)
    {
        // PowerShell sessions and terminals through it would otherwise remain in the guest for a while.
        Task.WaitAll([.. session.Shells.Keys.Select(shell => shell.CloseAsync())]);
        session.Core.Dispose();
        foreach (var registry in Runspaces.Values)
        {
            lock (registry._lock)
            {
                registry._sessions.Remove(session);
            }
        }
    }

    /// <summary>Closes all sessions of the runspace.</summary>
    public void CloseAll()
    {
        foreach (var session in Sessions)
        {
            Close(session);
        }
    }

    private static SessionRegistry Attach(Runspace runspace)
    {
        var registry = Runspaces.GetOrAdd(runspace.InstanceId, _ => new SessionRegistry());
        runspace.StateChanged += (sender, change) =>
        {
            if (change.RunspaceStateInfo.State is RunspaceState.Closing or RunspaceState.Closed or RunspaceState.Broken)
            {
                registry.CloseAll();
                Runspaces.TryRemove(runspace.InstanceId, out _);
            }
        };
        return registry;
    }
}
