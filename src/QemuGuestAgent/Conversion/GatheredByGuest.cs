namespace QemuGuestAgent.Conversion;

/// <summary>The pipeline input for each guest, in order and without duplicates, to be processed at once at the end.</summary>
/// <typeparam name="T">The type of the input.</typeparam>
internal sealed class GatheredByGuest<T>
{
    private readonly Dictionary<GuestTarget, List<T>> _items = [];

    /// <summary>The guests, as they were given, and the input for each.</summary>
    public IEnumerable<(GuestTarget Guest, IReadOnlyList<T> Items)> Guests =>
        _items.Select(of => (of.Key, (IReadOnlyList<T>)of.Value));

    /// <summary>Adds input for some guests.</summary>
    public void Add(IEnumerable<GuestTarget> guests, IEnumerable<T> items)
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
