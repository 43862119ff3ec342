using System.Text.Json;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Schema;

/// <summary>A command as guest-info lists it.</summary>
/// <param name="Name">The command's name.</param>
/// <param name="Enabled">Whether the agent's policy allows it.</param>
/// <param name="SuccessResponse">Whether the agent replies on success; false for commands that take the guest down (QEMU: success-response).</param>
public sealed record GuestAgentCommandInfo(string Name, bool Enabled, bool SuccessResponse);

/// <summary>What guest-info says of an agent.</summary>
/// <param name="Version">The agent's version, as it says.</param>
/// <param name="Commands">Its commands by name.</param>
public sealed record GuestAgentInfo(string Version, IReadOnlyDictionary<string, GuestAgentCommandInfo> Commands)
{
    /// <summary>Whether the success of a command is answered; where the agent does not tell, what QEMU's schema says.</summary>
    /// <param name="info">What is known about the agent, or null.</param>
    /// <param name="command">The command's name.</param>
    public static bool SuccessResponse(GuestAgentInfo? info, string command) =>
        info is not null && info.Commands.TryGetValue(command, out var known)
            ? known.SuccessResponse
            : CommandSchema.Find(command)?.SuccessResponse != false;

    /// <summary>
    /// Whether a refusal of the command may come from a freeze rather than from policy: the agent allowed it when it was asked, or was
    /// asked while frozen, when it says of all commands but a few that they are disabled.
    /// </summary>
    /// <param name="command">The command's name.</param>
    public bool MayBeFrozen(string command) =>
        Commands.TryGetValue(command, out var known) && !WorksWhileFrozen(known) && (known.Enabled || LooksFrozen);

    /// <summary>Whether it allows only what works in a frozen guest: that is so there, and of the strictest policies.</summary>
    public bool LooksFrozen => Commands.Values.All(command => !command.Enabled || WorksWhileFrozen(command));

    /// <summary>Reads the reply to guest-info. Members that other agents leave out get their usual values.</summary>
    public static GuestAgentInfo Parse(ref Utf8JsonReader reader)
    {
        var info = JsonElement.ParseValue(ref reader);
        var commands = new Dictionary<string, GuestAgentCommandInfo>(StringComparer.Ordinal);
        if (info.TryGetProperty("supported_commands", out var list) && list.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in list.EnumerateArray())
            {
                if (item.ValueKind == JsonValueKind.Object && item.TryGetProperty("name", out var name) && name.GetString() is { } raw)
                {
                    var text = SafeText.Escape(raw);
                    commands[text] = new GuestAgentCommandInfo(text, IsNotFalse(item, "enabled"), IsNotFalse(item, "success-response"));
                }
            }
        }

        return new GuestAgentInfo(info.TryGetProperty("version", out var version) ? SafeText.Escape(version.ToString()) : "unknown", commands);
    }

    private static bool WorksWhileFrozen(GuestAgentCommandInfo command) => CommandSchema.Find(command.Name)?.WorksWhileFrozen == true;

    private static bool IsNotFalse(JsonElement item, string member) =>
        !item.TryGetProperty(member, out var value) || value.ValueKind != JsonValueKind.False;
}
