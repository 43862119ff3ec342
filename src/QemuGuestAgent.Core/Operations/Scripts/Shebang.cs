namespace QemuGuestAgent.Core.Operations.Scripts;

/// <summary>The interpreter that the first line of a script names (<c>#!/bin/bash</c>), read as a Linux kernel does.</summary>
/// <param name="Program">The path of the interpreter.</param>
/// <param name="Argument">Its one argument, which may contain spaces, or null.</param>
public sealed record Shebang(string Program, string? Argument)
{
    private static readonly char[] Blanks = [' ', '\t'];

    /// <summary>The PowerShell that it names, directly or by env; otherwise null.</summary>
    public string? PowerShell
    {
        get
        {
            var program = NameOf(Program) == "env"
                ? Argument?.Split(Blanks).FirstOrDefault(word => word.Length > 0 && word[0] != '-')
                : Program;
            return program is not null && NameOf(program) is "pwsh" or "pwsh-preview" ? program : null;
        }
    }

    /// <summary>Reads the first line of a script; null where it names no interpreter.</summary>
    /// <param name="script">The script.</param>
    public static Shebang? Of(string script)
    {
        if (!script.StartsWith("#!", StringComparison.Ordinal))
        {
            return null;
        }

        var line = script.Split('\n')[0].Substring(2).Trim(' ', '\t', '\r');
        var words = line.Split(Blanks, 2);
        return words[0].Length == 0 ? null : new Shebang(words[0], words.Length > 1 ? words[1].TrimStart(Blanks) : null);
    }

    private static string NameOf(string program) => program.Substring(program.LastIndexOf('/') + 1);
}
