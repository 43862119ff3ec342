namespace QemuGuestAgent.Core;

/// <summary>Cleanup actions to run before something ends. Thread-safe.</summary>
internal sealed class CleanupActions
{
    private readonly List<Func<Task>> _undoings = [];
    private bool _isClosed;

    /// <summary>Takes what undoes something: in a bounded time, and without fail. False once it is closed.</summary>
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

    /// <summary>Takes back what was given to <see cref="TryAdd"/>; whether nothing is left.</summary>
    public bool Remove(Func<Task> undo)
    {
        lock (_undoings)
        {
            _undoings.Remove(undo);
            return _undoings.Count == 0;
        }
    }

    /// <summary>Takes no more, and undoes all.</summary>
    public void Close()
    {
        lock (_undoings)
        {
            _isClosed = true;
        }

        UndoAll();
    }

    /// <summary>Undoes all, and waits for it.</summary>
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
