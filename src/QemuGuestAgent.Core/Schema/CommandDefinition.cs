namespace QemuGuestAgent.Core.Schema;

/// <summary>An argument of a command.</summary>
public sealed class CommandArgument(string name, string type, bool isOptional = false)
{
    /// <summary>Its name.</summary>
    public string Name { get; } = name;

    /// <summary>The type: int, string, bool, base64, the allowed words, […] for a list, {…} for an object.</summary>
    public string Type { get; } = type;

    /// <summary>Whether it is optional.</summary>
    public bool IsOptional { get; } = isOptional;

    /// <summary>The name and the type, in brackets if it is optional.</summary>
    public override string ToString() => IsOptional ? $"[{Name}: {Type}]" : $"{Name}: {Type}";
}

/// <summary>A command of the agent's schema.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Since">The first version of QEMU's agent that supports it.</param>
/// <param name="Cmdlet">The cmdlet that uses it.</param>
/// <param name="Synopsis">The synopsis, in one sentence.</param>
public sealed record CommandDefinition(string Name, string Since, string Cmdlet, string Synopsis)
{
    /// <summary>Its arguments, in the schema's order.</summary>
    public IReadOnlyList<CommandArgument> Arguments { get; init; } = [];

    /// <summary>The type of the reply, written like the types of arguments, with * before optional members. Null for {}.</summary>
    public string? Returns { get; init; }

    /// <summary>Whether the agent replies on success; false for commands that take the guest down (QEMU: success-response).</summary>
    public bool SuccessResponse { get; init; } = true;

    /// <summary>The only system whose agents have it: Linux or Windows; null where it is of several.</summary>
    public string? OnlyIn { get; init; }

    /// <summary>Whether it works while the guest's file systems are frozen.</summary>
    public bool WorksWhileFrozen { get; init; }
}
