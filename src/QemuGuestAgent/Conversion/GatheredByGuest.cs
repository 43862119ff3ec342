namespace QemuGuestAgent.Conversion;

/// <summary>What came by pipeline for each guest, in its order and without doubles, to be done all at once at the end.</summary>
/// <typeparam name="T">What came.</typeparam>
internal sealed class GatheredByGuest<T>
{
    private readonly Dictionary<object, List<T>> _items = [];

    /// <summary>The guests, as they were given, and what came for each.</summary>
    public IEnumerable<(object Guest, IReadOnlyList<T> Items)> Guests =>
        _items.Select(of => (of.Key, (IReadOnlyList<T>)of.Value));

    /// <summary>Adds what came for some guests.</summary>
    public void Add(IEnumerable<object> guests, IEnumerable<T> items)
    {
        foreach (var guest in guests)
        {
            if (!_items.TryGetValue(guest, out var gathered))
            {
                _items.Add(guest, gathered = []);
            }

            gathered.AddRange(items.Except(gathered));
        }
    }
}
