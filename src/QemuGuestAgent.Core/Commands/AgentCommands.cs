using System.Text.Json;
using QemuGuestAgent.Core.Schema;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Commands;

/// <summary>A command that an agent has, and what QEMU's schema says of it.</summary>
public sealed class AgentCommand
{
    internal AgentCommand(GuestAgentCommandInfo info)
    {
        var schema = CommandSchema.Find(info.Name);
        Name = info.Name;
        Enabled = info.Enabled;
        IsKnown = schema is not null;
        Since = schema?.Since;
        Arguments = [.. schema?.Arguments ?? []];
        Returns = schema?.Returns;
        SuccessResponse = info.SuccessResponse;
        Synopsis = schema?.Synopsis;
        Cmdlet = schema?.Cmdlet ?? CommandSchema.Invoke;
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Whether the agent allows it now; a frozen guest's agent disables all but a few.</summary>
    public bool Enabled { get; }

    /// <summary>Whether the schema has it.</summary>
    public bool IsKnown { get; }

    /// <summary>The first version of QEMU's agent that has it, or null where the schema does not know it.</summary>
    public string? Since { get; }

    /// <summary>Its arguments, as far as the schema knows it.</summary>
    public CommandArgument[] Arguments { get; }

    /// <summary>The type of the reply, or null if it is {} or unknown.</summary>
    public string? Returns { get; }

    /// <summary>Whether success is answered; false for those that take the guest down.</summary>
    public bool SuccessResponse { get; }

    /// <summary>The synopsis, or null if the schema does not know it.</summary>
    public string? Synopsis { get; }

    /// <summary>The cmdlet that uses it.</summary>
    public string Cmdlet { get; }

    /// <summary>The command's name.</summary>
    public override string ToString() => Name;
}

/// <summary>The commands about the agent itself.</summary>
public static class AgentCommands
{
    /// <summary>Gets the agent's commands, in the order of their names (guest-info).</summary>
    /// <inheritdoc cref="GuestAgentSession.InvokeAsync{T}"/>
    public static async Task<IReadOnlyList<AgentCommand>> GetCommandsAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var info = await session.InvokeAsync(
            new GuestAgentRequest("guest-info"),
            static (ref Utf8JsonReader reader) => GuestAgentInfo.Parse(ref reader),
            call, cancellationToken).ConfigureAwait(false);
        return
        [
            .. info!.Commands.Values
                .Select(command => new AgentCommand(command))
                .OrderBy(command => command.Name, StringComparer.Ordinal),
        ];
    }
}
