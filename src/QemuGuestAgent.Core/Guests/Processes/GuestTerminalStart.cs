namespace QemuGuestAgent.Core.Guests.Processes;

/// <summary>The size of a terminal, in characters.</summary>
/// <param name="Rows">Its lines.</param>
/// <param name="Columns">The characters of a line.</param>
public readonly record struct TerminalSize(int Rows, int Columns);

/// <summary>A shell in a guest, and the terminal that it is to have there.</summary>
public sealed record GuestTerminalStart
{
    /// <summary>The user in the guest to log in; null for the agent's user.</summary>
    public string? UserName { get; init; }

    /// <summary>The shell; null for the user's own.</summary>
    public string? ShellPath { get; init; }

    /// <summary>The folder to start in; null for the user's home.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>What kind of terminal this is (TERM), as terminfo knows it.</summary>
    public string TerminalName { get; init; } = "xterm-256color";

    /// <summary>Its size at the start.</summary>
    public TerminalSize Size { get; init; } = new(24, 80);
}
