namespace QemuGuestAgent.Core;

/// <summary>Cleanup actions to run before something ends. Thread-safe.</summary>
internal sealed class CleanupActions
{
    private readonly List<Func<Task>> _undoings = [];
    private bool _isClosed;

    /// <summary>Adds a cleanup action, which must take a bounded time and never fail. False once it is closed.</summary>
    public bool TryAdd(Func<Task> undo)
    {
        lock (_undoings)
        {
            if (!_isClosed)
            {
                _undoings.Add(undo);
            }

            return !_isClosed;
        }
    }

    /// <summary>Removes an action given to <see cref="TryAdd"/>; returns whether nothing is left.</summary>
    public bool Remove(Func<Task> undo)
    {
        lock (_undoings)
        {
            _undoings.Remove(undo);
            return _undoings.Count == 0;
        }
    }

    /// <summary>Closes the list, and runs all actions.</summary>
    public void Close()
    {
        lock (_undoings)
        {
            _isClosed = true;
        }

        UndoAll();
    }

    /// <summary>Runs all actions, and waits for them.</summary>
    public void UndoAll()
    {
        Func<Task>[] undoings;
        lock (_undoings)
        {
            undoings = [.. _undoings];
        }

        Task.WhenAll(undoings.Select(undo => undo())).GetAwaiter().GetResult();
    }
}
