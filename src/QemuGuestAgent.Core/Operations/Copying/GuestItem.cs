using System.Globalization;
using System.Text;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Core.Operations.Copying;

/// <summary>An item of a guest's file system, as its own tools tell of it.</summary>
/// <param name="Type">As find tells it: f is a file, d a folder, l a link.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Modified">When it was changed, in seconds since 1970.</param>
/// <param name="Mode">Its permissions.</param>
/// <param name="Path">Its path.</param>
/// <param name="Root">The item given that it was found under; it may be that one itself.</param>
internal sealed record GuestItem(char Type, long Size, decimal Modified, int Mode, string Path, string Root)
{
    /// <summary>When it was changed, in UTC; null where that is out of range.</summary>
    public DateTime? ModifiedTime =>
        Modified is > 0 and < 9_000_000_000 ? UnixTime.FromNanoseconds((long)(Modified * 1_000_000_000)) : null;

    /// <summary>The names on the way from the item given to this one; none for that one itself.</summary>
    public string[] Names => Path.Length == Root.Length ? [] : Path.Substring(Root.Length).Trim('/').Split('/');

    /// <summary>Reads records that end with a zero: type, size, time and mode (octal) and path, parted by blanks. An empty one comes before
    /// each item given.</summary>
    /// <exception cref="FormatException">They are no such records.</exception>
    public static List<GuestItem> Parse(byte[] records)
    {
        var items = new List<GuestItem>();
        string? root = null;
        foreach (var record in Encoding.UTF8.GetString(records).Split('\0'))
        {
            if (record.Length == 0)
            {
                root = null;
                continue;
            }

            var fields = record.Split([' '], 5);
            if (fields.Length < 5 || fields[0].Length != 1)
            {
                throw new FormatException("it lists no items.");
            }

            root ??= fields[4];
            if (!fields[4].StartsWith(root, StringComparison.Ordinal))
            {
                throw new FormatException("it lists an item elsewhere.");
            }

            items.Add(new GuestItem(
                fields[0][0],
                long.Parse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture),
                decimal.Parse(fields[2], NumberStyles.Float, CultureInfo.InvariantCulture),
                Convert.ToInt32(fields[3], 8),
                fields[4],
                root));
        }

        return items;
    }
}
