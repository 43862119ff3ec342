using System.Globalization;
using System.Text;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Core.Guests.Windows;

/// <summary>The scripts that run in Windows guests: a file each, for Windows PowerShell 5.1 and later.</summary>
internal static class WindowsScripts
{
    /// <summary>The exit code of a PowerShell that the guest's policy keeps from what the scripts need.</summary>
    public const int RestrictedExitCode = 3;

    /// <summary>Windows PowerShell.</summary>
    public const string PowerShell = "powershell.exe";

    // The script itself comes by standard input: an argument is bounded, and written to the guest's log.
    private const string Bootstrap = """
        if ("$($ExecutionContext.SessionState.LanguageMode)" -ne 'FullLanguage') { exit 3 }
        $texts = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String([Console]::In.ReadToEnd())).Split([char] 0)
        & ([scriptblock]::Create($texts[0])) $texts[1] ([int] $texts[2]) $texts[3]
        """;

    private static readonly Lazy<string> Functions = new(() => string.Join("\n", new[] { "Pipe", "Program", "Relay", "Files", "Parts" }.Select(Read)));

    private static readonly Lazy<string> LauncherScript = new(() => string.Join("\n", new[] { "Program", "Launcher" }.Select(Read)));

    /// <summary>The helper, which serves a pipe.</summary>
    /// <param name="powerShell">The PowerShell.</param>
    /// <param name="pipeName">The pipe.</param>
    /// <param name="patience">How long it stays without a word from the host.</param>
    public static GuestExecution Helper(string powerShell, string pipeName, TimeSpan patience)
    {
        string[] texts = [Read("Helper"), pipeName, patience.TotalSeconds.ToString(CultureInfo.InvariantCulture), Functions.Value];
        return Run(powerShell, Bootstrap, Convert.ToBase64String(Encoding.UTF8.GetBytes(string.Join("\0", texts)))) with
        {
            // What it starts and leaves behind would hold the agent's pipes.
            CapturesOutput = false,
        };
    }

    /// <summary>What runs a program instead of the agent, with the same input and output.</summary>
    /// <param name="token">What comes at the end of standard error where the program cannot be started.</param>
    /// <param name="program">The program, as <see cref="WindowsProgram.Of"/> tells it.</param>
    /// <param name="input">The program's input, or null.</param>
    public static GuestExecution Launcher(string token, IReadOnlyList<string> program, byte[]? input)
    {
        // Where scripts may do nothing, a program may still say so.
        var refuse = $$"""
            if ("$($ExecutionContext.SessionState.LanguageMode)" -ne 'FullLanguage') {
              cmd.exe /d /c "<nul set /p x=a policy restricts the PowerShell that starts it (constrained language){{token}} 1>&2"
              exit 1
            }

            """;
        var line = Convert.ToBase64String(Encoding.UTF8.GetBytes(string.Join("\0", [token, .. program]))) + "\n";
        var execution = Run(PowerShell, refuse + LauncherScript.Value, line);
        return execution with { Input = [.. execution.Input!, .. input ?? []] };
    }

    // With another input format PowerShell itself may read what is for the script.
    private static GuestExecution Run(string powerShell, string script, string input) => new(
        powerShell, "-NoLogo", "-NoProfile", "-NonInteractive", "-InputFormat", "None", "-EncodedCommand",
        Convert.ToBase64String(Encoding.Unicode.GetBytes(script)))
    {
        Input = Encoding.ASCII.GetBytes(input),
    };

    private static string Read(string name)
    {
        using var stream = typeof(WindowsScripts).Assembly.GetManifestResourceStream($"{name}.ps1")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
