namespace QemuGuestAgent.Core;

/// <summary>What is to be undone before something ends. Safe for several threads.</summary>
internal sealed class CleanupActions
{
    private readonly List<Func<Task>> _actions = [];
    private bool _isClosed;

    /// <summary>Takes what undoes something: in a bounded time, and without fail. False once it is closed.</summary>
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

    /// <summary>Takes back what was given to <see cref="TryAdd"/>; whether nothing is left.</summary>
    public bool Remove(Func<Task> undo)
    {
        lock (_actions)
        {
            _actions.Remove(undo);
            return _actions.Count == 0;
        }
    }

    /// <summary>Takes no more, and undoes all.</summary>
    public Task CloseAsync()
    {
        lock (_actions)
        {
            _isClosed = true;
        }

        return UndoAllAsync();
    }

    /// <summary>Undoes all.</summary>
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
