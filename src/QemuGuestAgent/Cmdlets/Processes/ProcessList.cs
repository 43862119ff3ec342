namespace QemuGuestAgent;

/// <summary>The processes that were started through a session and whose end has not been reported yet.</summary>
internal sealed class ProcessList
{
    private readonly object _lock = new();
    private readonly List<AgentProcess> _processes = [];

    /// <summary>All of them, in the order they were started.</summary>
    public IReadOnlyList<AgentProcess> All
    {
        get
        {
            lock (_lock)
            {
                return [.. _processes];
            }
        }
    }

    /// <summary>Adds one just started.</summary>
    public void Add(AgentProcess process)
    {
        lock (_lock)
        {
            if (!_processes.Contains(process))
            {
                _processes.Add(process);
            }
        }
    }

    /// <summary>Removes one whose end was reported.</summary>
    public void Remove(AgentProcess process)
    {
        lock (_lock)
        {
            _processes.Remove(process);
        }
    }
}
