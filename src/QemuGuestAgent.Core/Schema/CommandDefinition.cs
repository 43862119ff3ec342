namespace QemuGuestAgent.Core.Schema;

/// <summary>An argument of a command.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The type: int, string, bool, base64, the allowed words, […] for a list, {…} for an object.</param>
/// <param name="IsOptional">Whether it is optional.</param>
public sealed record CommandArgument(string Name, string Type, bool IsOptional = false)
{
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

    /// <summary>Whether it works while the guest's file systems are frozen.</summary>
    public bool WorksWhileFrozen { get; init; }
}
