using System.Text.Json;
using QemuGuestAgent.Core.Wire;

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
    public static string? Text(this JsonElement item, string member) =>
        Member(item, member) is { ValueKind: JsonValueKind.String } value ? SafeText.Escape(value.GetString()!, MaxTextLength) : null;

    /// <summary>The member's whole number; a fraction is cut off.</summary>
    public static long? Number(this JsonElement item, string member) =>
        Member(item, member) is not { ValueKind: JsonValueKind.Number } value ? null
        : value.TryGetInt64(out var number) ? number
        : value.TryGetDouble(out var real) && real is >= long.MinValue and < long.MaxValue ? (long)real
        : null;

    /// <summary>The member's counter, which may pass the range of a long.</summary>
    public static ulong? Counter(this JsonElement item, string member) =>
        Member(item, member) is { ValueKind: JsonValueKind.Number } value && value.TryGetUInt64(out var number) ? number : null;

    /// <summary>The member's size, in bytes; QEMU's -1 is unknown.</summary>
    public static long? Size(this JsonElement item, string member) => Number(item, member) is { } number and >= 0 ? number : null;

    /// <summary>The member's number with a fraction.</summary>
    public static double? Real(this JsonElement item, string member) =>
        Member(item, member) is { ValueKind: JsonValueKind.Number } value && value.TryGetDouble(out var real) ? real : null;

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

    private static JsonElement? Member(JsonElement item, string member) =>
        item.ValueKind == JsonValueKind.Object && item.TryGetProperty(member, out var value) ? value : null;
}
