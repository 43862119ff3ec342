using System.Text.Json;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Commands;

/// <summary>
/// Reads members of replies as agents of any version send them: what is absent, null, of another type or QEMU's -1 for "unknown" is
/// null, and members unknown to us are left alone. Text is made harmless for a terminal and bounded here, once, for every use of it.
/// </summary>
internal static class ReplyValues
{
    // Longer than any name, path or version; a key may be longer.
    private const int MaxTextLength = 8192;

    /// <summary>The member's text.</summary>
    public static string? Text(this JsonElement item, string member) => Member(item, member) is { } value ? Text(value) : null;

    /// <summary>The texts in the member that is a list; none where it is absent.</summary>
    public static IEnumerable<string> Texts(this JsonElement item, string member) =>
        Member(item, member) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray().Select(Text).OfType<string>() : [];

    /// <summary>The member's whole number; a fraction is cut off.</summary>
    public static long? Number(this JsonElement item, string member) =>
        Member(item, member) is not { ValueKind: JsonValueKind.Number } value ? null
        : value.TryGetInt64(out var number) ? number
        : value.TryGetDouble(out var real) && real is >= long.MinValue and < long.MaxValue ? (long)real
        : null;

    /// <summary>The member's whole number within bounds, or null if it is absent.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static long? WholeNumber(this JsonElement item, string member, long min, long max) =>
        Member(item, member) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= min && number <= max ? number
        : throw new FormatException($"its {member} is not a whole number from {min} to {max}.");

    /// <summary>The member's counter, which may pass the range of a long.</summary>
    public static ulong? Counter(this JsonElement item, string member) =>
        Member(item, member) is { ValueKind: JsonValueKind.Number } value && value.TryGetUInt64(out var number) ? number : null;

    /// <summary>The member's counter, converted from units of this number of bytes to bytes.</summary>
    public static ulong? Bytes(this JsonElement item, string member, uint unit) =>
        Counter(item, member) is { } count && count <= ulong.MaxValue / unit ? count * unit : null;

    /// <summary>The member's duration, which is a number of units.</summary>
    public static TimeSpan? Duration(this JsonElement item, string member, TimeSpan unit) =>
        Size(item, member) is { } count && count <= TimeSpan.MaxValue.Ticks / unit.Ticks
            ? TimeSpan.FromTicks(count * unit.Ticks)
            : null;

    /// <summary>The member's size, in bytes; QEMU's -1 is unknown.</summary>
    public static long? Size(this JsonElement item, string member) => Number(item, member) is { } number and >= 0 ? number : null;

    /// <summary>The member's number with a fraction.</summary>
    public static double? Real(this JsonElement item, string member) =>
        Member(item, member) is { ValueKind: JsonValueKind.Number } value
        && value.TryGetDouble(out var real) && !double.IsInfinity(real) ? real : null;

    /// <summary>The member's truth.</summary>
    public static bool? Flag(this JsonElement item, string member) =>
        Member(item, member)?.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => null,
        };

    /// <summary>The member that is an object itself.</summary>
    public static JsonElement? Object(this JsonElement item, string member) =>
        Member(item, member) is { ValueKind: JsonValueKind.Object } value ? value : null;

    /// <summary>The objects in the member that is a list; none where it is absent.</summary>
    public static IEnumerable<JsonElement> Objects(this JsonElement item, string member) =>
        Member(item, member) is { } list ? list.Objects() : [];

    /// <summary>The objects in a list.</summary>
    public static IEnumerable<JsonElement> Objects(this JsonElement list) =>
        list.ValueKind == JsonValueKind.Array ? list.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.Object) : [];

    private static JsonElement? Member(JsonElement item, string member)
    {
        try
        {
            return item.ValueKind == JsonValueKind.Object && item.TryGetProperty(member, out var value) ? value : null;
        }
        catch (InvalidOperationException)
        {
            // Another member's name is no valid text.
            return null;
        }
    }

    private static string? Text(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? SafeText.Escape(value.GetString()!, MaxTextLength) : null;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair, or bytes that are no UTF-8.
            return null;
        }
    }
}
