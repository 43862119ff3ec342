using System.Globalization;
using System.Text.RegularExpressions;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Core.Guests;

/// <summary>An item of a guest's file system, as its own tools tell of it.</summary>
/// <param name="Paths">How the guest writes paths.</param>
/// <param name="Type">As find tells it: f is a file, d a folder, l a link; u is a folder that cannot be listed.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Modified">When it was changed, in seconds since 1970.</param>
/// <param name="Mode">Its permissions.</param>
/// <param name="Path">Its path.</param>
/// <param name="Root">The item given that it was found under; it may be that one itself.</param>
internal sealed record GuestItem(GuestPath Paths, char Type, long Size, decimal Modified, int Mode, string Path, string Root)
{
    // What the record of a link's target begins with.
    private const string TargetMark = "> ";

    /// <summary>Where a link leads, if that was told.</summary>
    public string? Target { get; init; }

    /// <summary>When it was changed, in UTC; null where that is out of range.</summary>
    public DateTime? ModifiedTime =>
        Modified is > 0 and < 9_000_000_000 ? UnixTime.FromNanoseconds((long)(Modified * 1_000_000_000)) : null;

    /// <summary>The way from the item given to this one; empty for that one itself.</summary>
    public string Way => Path == Root ? "" : Path.Substring(Paths.Inside(Root).Length);

    /// <summary>The names on that way.</summary>
    public string[] Names => Path == Root ? [] : Paths.Names(Way);

    /// <summary>Whether its path has come as it is: bytes that are no text are replaced when they are read.</summary>
    public bool IsText => !Path.Contains('\uFFFD');

    /// <summary>Reads records: type, size, time and mode (octal) and path, parted by blanks. An empty one comes before
    /// each item given, one that begins with &gt; comes behind a link and tells where it leads.</summary>
    /// <exception cref="FormatException">They are no such records.</exception>
    public static List<GuestItem> Parse(IEnumerable<string> records, GuestPath paths)
    {
        var items = new List<GuestItem>();
        string? root = null;
        foreach (var record in records)
        {
            if (record.Length == 0)
            {
                root = null;
                continue;
            }

            if (record.StartsWith(TargetMark, StringComparison.Ordinal) && items.Count > 0 && items[items.Count - 1] is { Type: 'l', Target: null } link)
            {
                items[items.Count - 1] = link with { Target = record.Substring(TargetMark.Length) };
                continue;
            }

            var fields = record.Split([' '], 5);
            if (fields.Length < 5 || fields[0].Length != 1)
            {
                throw new FormatException("it lists no items.");
            }

            root ??= fields[4];
            if (fields[4] != root && !fields[4].StartsWith(paths.Inside(root), StringComparison.Ordinal))
            {
                throw new FormatException("it lists an item elsewhere.");
            }

            items.Add(new GuestItem(
                paths,
                fields[0][0],
                long.Parse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture),
                decimal.Parse(fields[2], NumberStyles.Float, CultureInfo.InvariantCulture),
                Convert.ToInt32(fields[3], 8),
                fields[4],
                root));
        }

        return items;
    }

    /// <summary>Refuses what was not asked for: the guest must not choose what is made here, and by what name.</summary>
    /// <param name="items">What the guest has listed.</param>
    /// <param name="path">What was asked for.</param>
    /// <param name="pattern">What matches it, where that is a pattern.</param>
    /// <param name="isDeep">Whether what is in folders was asked for too.</param>
    /// <exception cref="FormatException">There is something else among them.</exception>
    public static void Check(IReadOnlyList<GuestItem> items, string path, Regex? pattern, bool isDeep)
    {
        var paths = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            if (pattern is null ? item.Root != path : !pattern.IsMatch(item.Root))
            {
                throw new FormatException($"it lists '{item.Root}', which was not requested.");
            }

            if (!isDeep && item.Path != item.Root)
            {
                throw new FormatException($"it lists '{item.Path}', but the contents of folders were not requested.");
            }

            // Names that are not valid text may look the same.
            if (!paths.Add(item.Path) && item.IsText)
            {
                throw new FormatException($"it lists '{item.Path}' twice.");
            }
        }
    }
}
