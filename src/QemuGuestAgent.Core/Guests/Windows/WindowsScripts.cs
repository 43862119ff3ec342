using System.Globalization;
using System.Text;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Core.Guests.Windows;

/// <summary>The scripts that run in Windows guests: a file each, for Windows PowerShell 5.1 and later.</summary>
internal static class WindowsScripts
{
    /// <summary>The exit code of a PowerShell that the guest's policy keeps from what the scripts need.</summary>
    public const int RestrictedExitCode = 3;

    // The script itself comes by standard input: an argument is bounded, and written to the guest's log.
    private const string Bootstrap = """
        if ("$($ExecutionContext.SessionState.LanguageMode)" -ne 'FullLanguage') { exit 3 }
        $texts = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String([Console]::In.ReadToEnd())).Split([char] 0)
        & ([scriptblock]::Create($texts[0])) $texts[1] ([int] $texts[2]) $texts[3]
        """;

    private static readonly Lazy<string> Functions = new(() => string.Join("\n", new[] { "Pipe", "Relay" }.Select(Read)));

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

    /// <summary>A PowerShell that runs a script and leaves its standard input to it.</summary>
    public static GuestExecution Run(string powerShell, string script, string input) => new(
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
