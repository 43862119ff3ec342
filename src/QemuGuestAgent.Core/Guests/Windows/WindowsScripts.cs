using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Core.Guests.Windows;

/// <summary>The scripts that run in Windows guests: a file each, for Windows PowerShell 5.1 and later.</summary>
internal static class WindowsScripts
{
    /// <summary>The exit code of a PowerShell that the guest's policy keeps from what the scripts need.</summary>
    public const int RestrictedExitCode = 3;

    private static readonly Regex Comment = new(@"^[ \t]*(#.*)?\r?\n|^[ \t]+", RegexOptions.CultureInvariant | RegexOptions.Multiline);

    /// <summary>Windows PowerShell.</summary>
    public const string PowerShell = "powershell.exe";

    /// <summary>
    /// The most bytes of input that guest-exec is given: no more fit into the pipe, and the agent, with all that it is asked, waits for room
    /// there; for ever, where the program ends without having read them.
    /// </summary>
    public const int MaxInput = 4000;

    // Languages but the full one have no pipes.
    private const string Refuse = """
        if ("$($ExecutionContext.SessionState.LanguageMode)" -ne 'FullLanguage') { exit 3 }

        """;

    private static readonly Lazy<string> BeginScript = new(() => Refuse + Join("Pipe", "Begin"));
    private static readonly Lazy<string> Functions = new(() => Join("Pipe", "Program", "Relay", "Files", "Parts", "Packs"));

    private static readonly Lazy<string> LauncherScript = new(() => Join("Program", "Launcher"));

    /// <summary>What serves a pipe.</summary>
    /// <param name="powerShell">The PowerShell.</param>
    /// <param name="pipeName">The pipe.</param>
    public static GuestExecution Begin(string powerShell, string pipeName) => Run(powerShell, BeginScript.Value, pipeName + "\n") with
    {
        // What it starts and leaves behind would hold the agent's pipes.
        CapturesOutput = false,
    };

    /// <summary>The helper, as the first frame of its pipe brings it.</summary>
    /// <param name="patience">How long it stays without a word from the host.</param>
    public static byte[] Helper(TimeSpan patience) => Encoding.UTF8.GetBytes(string.Join(
        "\0", patience.TotalSeconds.ToString(CultureInfo.InvariantCulture), Read("Helper"), Functions.Value));

    /// <summary>What runs a program instead of the agent, with the same input and output.</summary>
    /// <param name="token">What comes at the end of standard error where the program cannot be started.</param>
    /// <param name="program">The program, as <see cref="WindowsProgram.Of"/> tells it.</param>
    /// <param name="input">The program's input, or null.</param>
    public static GuestExecution Launcher(string token, IReadOnlyList<string> program, byte[]? input)
    {
        // Where scripts may do nothing, a program may still say so.
        var refuse = $$"""
            $ProgressPreference = 'SilentlyContinue'
            if ("$($ExecutionContext.SessionState.LanguageMode)" -ne 'FullLanguage') {
              & $env:ComSpec /d /c "echo a policy restricts the PowerShell that starts it (constrained language){{token}} 1>&2"
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

    private static string Join(params string[] names) => string.Join("\n", names.Select(Read));

    // Without comments: the first of them goes into the guest's log.
    private static string Read(string name)
    {
        using var stream = typeof(WindowsScripts).Assembly.GetManifestResourceStream($"{name}.ps1")!;
        using var reader = new StreamReader(stream);
        return Comment.Replace(reader.ReadToEnd(), "");
    }
}
