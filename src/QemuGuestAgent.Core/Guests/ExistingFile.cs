using System.Globalization;

namespace QemuGuestAgent.Core.Guests;

/// <summary>What an error says of a file that is in the way.</summary>
internal static class ExistingFile
{
    /// <summary>Whose it is, and when it was changed; for the end of a sentence.</summary>
    /// <param name="owner">Its owner; null where that is not known.</param>
    /// <param name="modified">When it was changed, in UTC.</param>
    public static string Describe(string? owner, DateTime modified) =>
        $": it {(owner is null ? "" : $"belongs to {owner}, and ")}was changed on {modified.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)}";
}
