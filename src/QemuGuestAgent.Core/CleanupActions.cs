namespace QemuGuestAgent.Core;

/// <summary>Cleanup actions to run before something ends. Thread-safe.</summary>
internal sealed class CleanupActions
{
    private readonly List<Func<Task>> _actions = [];
    private bool _isClosed;

    /// <summary>Adds a cleanup action, which must take a bounded time and never fail. False once it is closed.</summary>
    public bool TryAdd(Func<Task> undo)
    {
        lock (_actions)
        {
            if (!_isClosed)
            {
                _actions.Add(undo);
            }

            return !_isClosed;
        }
    }

    /// <summary>Removes an action given to <see cref="TryAdd"/>; returns whether nothing is left.</summary>
    public bool Remove(Func<Task> undo)
    {
        lock (_actions)
        {
            _actions.Remove(undo);
            return _actions.Count == 0;
        }
    }

    /// <summary>Closes the list, and runs all actions.</summary>
    public Task CloseAsync()
    {
        lock (_actions)
        {
            _isClosed = true;
        }

        return UndoAllAsync();
    }

    /// <summary>Runs all actions.</summary>
    public Task UndoAllAsync()
    {
        Func<Task>[] actions;
        lock (_actions)
        {
            actions = [.. _actions];
        }

        return Task.WhenAll(actions.Select(undo => undo()));
    }
}
