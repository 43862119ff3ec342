using System.Management.Automation;

namespace QemuGuestAgent.Conversion;

/// <summary>
/// Writes records of a script that has itself chosen to show them, as with Write-Verbose -Verbose: the preferences of the cmdlet's caller,
/// which its own WriteVerbose and WriteDebug obey, do not hide them.
/// </summary>
internal static class ShownRecords
{
    private const string Verbose = "$VerbosePreference = 'Continue'; Microsoft.PowerShell.Utility\\Write-Verbose $args[0]";
    private const string Debug = "$DebugPreference = 'Continue'; Microsoft.PowerShell.Utility\\Write-Debug $args[0]";

    /// <summary>Writes a record to the verbose stream of a cmdlet, on the pipeline's thread.</summary>
    public static void WriteVerbose(PSCmdlet cmdlet, string text) => Write(cmdlet, Verbose, text);

    /// <summary>Writes a record to the debug stream of a cmdlet, on the pipeline's thread.</summary>
    public static void WriteDebug(PSCmdlet cmdlet, string text) => Write(cmdlet, Debug, text);

    private static void Write(PSCmdlet cmdlet, string script, string text) =>
        cmdlet.InvokeCommand.InvokeScript(useLocalScope: true, ScriptBlock.Create(script), null, text);
}
