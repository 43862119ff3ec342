using System.Text;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Endpoints;

namespace QemuGuestAgent.Core.Guests.Windows;

/// <summary>Runs a program of a Windows guest in a folder: by Windows PowerShell, which every Windows has.</summary>
internal static class WindowsLauncher
{
    // Four lines of base64 come first; the rest of standard input is the program's own, so no byte more than the lines is read.
    private const string Script = """
        $in = [Console]::OpenStandardInput()
        function Read-Text {
          $line = [Text.Encoding]::ASCII.GetString([byte[]]@(while (($byte = $in.ReadByte()) -gt 10) { $byte }))
          [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($line))
        }
        $token = Read-Text
        try {
          $start = New-Object Diagnostics.ProcessStartInfo
          $start.WorkingDirectory = Read-Text
          $start.FileName = Read-Text
          $start.Arguments = Read-Text
          $start.UseShellExecute = $false
          $process = [Diagnostics.Process]::Start($start)
        }
        catch {
          $failure = [Text.Encoding]::UTF8.GetBytes($_.Exception.GetBaseException().Message + $token)
          [Console]::OpenStandardError().Write($failure, 0, $failure.Length)
          exit 1
        }
        $process.WaitForExit()
        exit $process.ExitCode
        """;

    private static readonly string EncodedScript = Convert.ToBase64String(Encoding.Unicode.GetBytes(Script));

    /// <summary>What to start instead of the program.</summary>
    /// <param name="execution">The program.</param>
    /// <param name="token">What comes at the end of standard error where the program cannot be started.</param>
    /// <param name="folder">The folder to run in.</param>
    public static GuestExecution Wrap(GuestExecution execution, string token, string folder)
    {
        var texts = new[] { token, folder, execution.Path, WindowsCommandLine.Of(execution.Arguments) };
        var head = string.Concat(texts.Select(text => Convert.ToBase64String(Encoding.UTF8.GetBytes(text)) + "\n"));
        return execution with
        {
            Path = "powershell.exe",

            // With another input format PowerShell itself may read what is the program's.
            Arguments = ["-NoLogo", "-NoProfile", "-NonInteractive", "-InputFormat", "None", "-EncodedCommand", EncodedScript],
            Input = [.. Encoding.ASCII.GetBytes(head), .. execution.Input ?? []],
        };
    }
}
