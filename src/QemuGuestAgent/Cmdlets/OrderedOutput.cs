namespace QemuGuestAgent;

/// <summary>Runs actions in the order of their numbers, whatever order they are added in: each as soon as all before it have run.</summary>
internal sealed class OrderedOutput
{
    private readonly Dictionary<int, Action> _held = [];
    private int _next;

    /// <summary>Adds an action; its number, counted from 0, must be unique.</summary>
    public void Run(int number, Action action)
    {
        _held.Add(number, action);
        while (_held.TryGetValue(_next, out var ready))
        {
            _held.Remove(_next++);
            ready();
        }
    }
}
