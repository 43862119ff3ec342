using System.Text;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Processes;

namespace QemuGuestAgent.Core.Operations.Scripts;

/// <summary>What a script in a guest's PowerShell has written.</summary>
/// <param name="Kind">Output, Error, Warning, Verbose, Debug, Information, Progress or End; null for what is no record.</param>
/// <param name="Content">The record as CLIXML, or the text.</param>
public sealed record PowerShellRecord(string? Kind, string Content);

/// <summary>
/// A script for a guest's PowerShell, whose records come back one by one. A small script of ours runs it: it takes the payload by
/// standard input, for what is in an argument of a program is written to the guest's log, and writes each record as a line. The
/// payload, in CLIXML, is a hashtable of Token, Script, Arguments, Input and Variables, made by who knows CLIXML.
/// </summary>
public sealed class PowerShellScript
{
    /// <summary>The kind of the record that comes last, where the script was not broken off: the code of its exit, or null.</summary>
    public const string End = "End";

    // Also for Windows PowerShell 5.1. The runspace is one of its own, so that nothing the script writes goes to the console; the
    // streams are merged there, so that they stay in order. Progress cannot be merged. An exit comes as an exception, if asked for.
    // Objects are as deep as those of PowerShell remoting: what lies deeper is long to get, and a process is 140,000 characters.
    private const string Bootstrap = """
        $ErrorActionPreference = 'Stop'
        $ProgressPreference = 'SilentlyContinue'
        function Emit($Kind, $Value) {
          $xml = [Management.Automation.PSSerializer]::Serialize($Value, 1)
          [Console]::Out.WriteLine($p.Token + ' ' + $Kind + ' ' + [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($xml)))
        }
        function Revive($Value) {
          if ($Value -isnot [psobject] -or -not $Value.psobject.Properties['QemuGuestAgentSecret']) { return , $Value }
          $secret = New-Object Security.SecureString
          foreach ($c in $Value.QemuGuestAgentSecret.ToCharArray()) { $secret.AppendChar($c) }
          if ($Value.UserName) { New-Object Management.Automation.PSCredential $Value.UserName, $secret } else { $secret }
        }
        function EmitError($e) {
          $c = $e.CategoryInfo
          Emit Error @{
            Message = if ($e.ErrorDetails.Message) { $e.ErrorDetails.Message } else { $e.Exception.Message }
            Id = $e.FullyQualifiedErrorId; Target = "$($e.TargetObject)"
            Category = "$($c.Category)"; Activity = $c.Activity; Reason = $c.Reason
            TargetName = $c.TargetName; TargetType = $c.TargetType
          }
        }
        function EmitRecord($r) {
          $o = $r.psobject.BaseObject
          if ($o -is [Management.Automation.ErrorRecord]) { EmitError $o }
          elseif ($o -is [Management.Automation.WarningRecord]) { Emit Warning $o.Message }
          elseif ($o -is [Management.Automation.VerboseRecord]) { Emit Verbose $o.Message }
          elseif ($o -is [Management.Automation.DebugRecord]) { Emit Debug $o.Message }
          elseif ($o -is [Management.Automation.InformationRecord]) {
            Emit Information @{ Data = "$($o.MessageData)"; Source = $o.Source; Tags = @($o.Tags) }
          }
          else { Emit Output $r }
        }
        function EmitProgress($r) {
          Emit Progress @{
            Activity = $r.Activity; Id = $r.ActivityId; Parent = $r.ParentActivityId; Status = $r.StatusDescription
            Operation = $r.CurrentOperation; Percent = $r.PercentComplete; Seconds = $r.SecondsRemaining
            Type = [int]$r.RecordType
          }
        }
        $text = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String(@($input) -join ''))
        $p = [Management.Automation.PSSerializer]::Deserialize($text)
        $variables = @{}
        foreach ($n in $p.Variables.Keys) { $variables[$n] = Revive $p.Variables[$n] }
        $arguments = @(foreach ($a in $p.Arguments) { , (Revive $a) })
        $in = New-Object 'Management.Automation.PSDataCollection[psobject]'
        foreach ($i in $p.Input) { $in.Add((Revive $i)) }
        $in.Complete()
        $out = New-Object 'Management.Automation.PSDataCollection[psobject]'
        $ps = [powershell]::Create()
        $null = $ps.AddScript('param($s, $a, $v) foreach ($n in $v.Keys) { Set-Variable $n $v[$n] -Scope Global }
          $input | & ([scriptblock]::Create($s)) @a *>&1').AddArgument($p.Script).AddArgument($arguments).AddArgument($variables)
        $how = New-Object Management.Automation.PSInvocationSettings
        if ($how.psobject.Properties['ExposeFlowControlExceptions']) { $how.ExposeFlowControlExceptions = $true }
        $run = $ps.BeginInvoke($in, $out, $how, $null, $null)
        do {
          $done = $run.AsyncWaitHandle.WaitOne(50)
          foreach ($r in $ps.Streams.Progress.ReadAll()) { EmitProgress $r }
          foreach ($r in $out.ReadAll()) { if ($null -eq $r) { Emit Output $null } else { EmitRecord $r } }
        } until ($done)
        foreach ($r in $ps.Streams.Error.ReadAll()) { EmitError $r }
        $exit = $null
        try { $null = $ps.EndInvoke($run) }
        catch {
          $e = $_.Exception.InnerException
          if ($e -is [Management.Automation.ExitException]) { $exit = $e.Argument }
          elseif ($e -is [Management.Automation.FlowControlException]) { }
          elseif ($e.ErrorRecord) { EmitError $e.ErrorRecord }
          else { EmitError $_ }
        }
        Emit End $exit
        """;

    private static readonly string EncodedBootstrap = Convert.ToBase64String(Encoding.Unicode.GetBytes(Bootstrap));

    // An object may be long, but not without end.
    private const int MaxRecord = 64 << 20;

    /// <summary>What marks a line as ours; it goes into the payload.</summary>
    public string Token { get; } = Guid.NewGuid().ToString("N");

    /// <summary>The program that runs the script.</summary>
    /// <param name="interpreter">PowerShell or WindowsPowerShell.</param>
    /// <param name="payload">The payload, in CLIXML.</param>
    /// <param name="program">The program, or null for the interpreter's usual one.</param>
    public static GuestProcessStart Prepare(GuestInterpreter interpreter, string payload, string? program = null) =>
        new(program ?? (interpreter == GuestInterpreter.WindowsPowerShell ? "powershell.exe" : "pwsh"))
        {
            Arguments =
            [
                "-NoLogo", "-NoProfile", "-NonInteractive", "-InputFormat", "Text", "-OutputFormat", "Text",
                "-EncodedCommand", EncodedBootstrap,
            ],
            Input = Encoding.ASCII.GetBytes(Convert.ToBase64String(Encoding.UTF8.GetBytes(payload)) + "\n"),
            MaxLine = MaxRecord,
        };

    /// <summary>Reads a line of standard output. What the script wrote there, past PowerShell, stands before our mark.</summary>
    /// <param name="line">The line, without its end.</param>
    /// <exception cref="FormatException">It is no record, or one that would harm the PowerShell that makes objects of it.</exception>
    /// <exception cref="System.Xml.XmlException">It is no XML, or has a document type.</exception>
    public IEnumerable<PowerShellRecord> Read(string line)
    {
        var start = line.IndexOf(Token, StringComparison.Ordinal);
        if (start != 0)
        {
            yield return new PowerShellRecord(null, start < 0 ? line : line.Substring(0, start));
        }

        if (start >= 0)
        {
            var parts = line.Substring(start).Split(' ');
            var content = parts.Length == 3
                ? Encoding.UTF8.GetString(Convert.FromBase64String(parts[2]))
                : throw new FormatException("a record is cut off.");
            ClixmlRecord.Check(content);
            yield return new PowerShellRecord(parts[1], content);
        }
    }
}
