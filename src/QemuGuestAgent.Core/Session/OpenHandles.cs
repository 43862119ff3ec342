namespace QemuGuestAgent.Core.Session;

/// <summary>The handles of files that an agent holds open for operations that are under way. Safe for several threads.</summary>
internal sealed class OpenHandles
{
    // After a restart of the guest, its agent uses the same numbers again.
    private readonly List<long> _handles = [];
    private int _kept;

    /// <summary>How many there are, but for those that are kept.</summary>
    public int Count
    {
        get
        {
            lock (_handles)
            {
                return _handles.Count - _kept;
            }
        }
    }

    /// <summary>Takes one that was opened.</summary>
    public void Add(long handle)
    {
        lock (_handles)
        {
            _handles.Add(handle);
        }
    }

    /// <summary>Takes one that stays open between operations, until <see cref="RemoveKept"/>.</summary>
    public void AddKept(long handle)
    {
        lock (_handles)
        {
            _handles.Add(handle);
            _kept++;
        }
    }

    /// <summary>Takes out one of those that were kept.</summary>
    public void RemoveKept(long handle)
    {
        lock (_handles)
        {
            _kept -= _handles.Remove(handle) ? 1 : 0;
        }
    }

    /// <summary>Takes one out that is closed.</summary>
    public void Remove(long handle)
    {
        lock (_handles)
        {
            _handles.Remove(handle);
        }
    }

    /// <summary>Whether it is one of them.</summary>
    public bool Contains(long handle)
    {
        lock (_handles)
        {
            return _handles.Contains(handle);
        }
    }
}
