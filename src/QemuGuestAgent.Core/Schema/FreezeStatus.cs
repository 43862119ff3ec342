using System.Text.Json;

namespace QemuGuestAgent.Core.Schema;

/// <summary>The command that returns whether file systems are frozen, and its reply.</summary>
internal static class FreezeStatus
{
    /// <summary>Its name. It is one of the few that a frozen guest answers.</summary>
    public const string Command = "guest-fsfreeze-status";

    /// <summary>One of the two values of its reply.</summary>
    public const string Frozen = "frozen";

    /// <summary>The other value of its reply.</summary>
    public const string Thawed = "thawed";

    /// <summary>Reads the value of its reply.</summary>
    public static string Read(ref Utf8JsonReader reader) => JsonElement.ParseValue(ref reader).ToString();
}
