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
        var version = "unknown";
        var commands = new Dictionary<string, GuestAgentCommandInfo>(StringComparer.Ordinal);
        if (reader.TokenType == JsonTokenType.None)
        {
            reader.Read();
        }

        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new InvalidOperationException("It is not an object.");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("version"u8))
            {
                reader.Read();
                version = SafeText.Escape(JsonElement.ParseValue(ref reader).ToString());
            }
            else if (reader.ValueTextEquals("supported_commands"u8) && reader.Read() && reader.TokenType == JsonTokenType.StartArray)
            {
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    if (reader.TokenType == JsonTokenType.StartObject && ParseCommand(ref reader) is { } command)
                    {
                        commands[command.Name] = command;
                    }

                    reader.Skip();
                }
            }

            reader.Skip();
        }

        return new GuestAgentInfo(version, commands);
    }

    private static GuestAgentCommandInfo? ParseCommand(ref Utf8JsonReader reader)
    {
        var (name, isEnabled, responds) = ((string?)null, true, true);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("name"u8))
            {
                reader.Read();
                name = reader.GetString();
            }
            else if (reader.ValueTextEquals("enabled"u8))
            {
                reader.Read();
                isEnabled = reader.TokenType != JsonTokenType.False;
            }
            else if (reader.ValueTextEquals("success-response"u8))
            {
                reader.Read();
                responds = reader.TokenType != JsonTokenType.False;
            }

            reader.Skip();
        }

        return name is null ? null : new GuestAgentCommandInfo(SafeText.Escape(name), isEnabled, responds);
    }

    private static bool WorksWhileFrozen(GuestAgentCommandInfo command) => CommandSchema.Find(command.Name)?.WorksWhileFrozen == true;
}
