# Serves the host through a pipe, beginning with frames that have come already. From there come q (a question: its number, a function,
# its arguments), p (a program: its number, the name of its pipe, how long it stays without the host, what New-Start takes), b (the host
# is there) and k (the end). Back goes a (an answer: the number, a code that is empty where it was done, texts). It ends once the host
# is gone, or has said nothing for so many seconds, and no program runs.
param($Link, [int] $Patience, [string] $Functions, [object[]] $Frames)
$ErrorActionPreference = 'Stop'
. ([scriptblock]::Create($Functions))

# Runs a function with arguments. (What has two statements never ends in a pool.)
function Start-Work($Pool, [string] $Number, [string] $Function, [object[]] $Arguments) {
    $shell = [powershell]::Create()
    $shell.RunspacePool = $Pool
    $null = $shell.AddScript("$Functions`n`$ErrorActionPreference = 'Stop'`n$Function @args")
    foreach ($argument in $Arguments) { $null = $shell.AddArgument($argument) }
    @{ Number = $Number; Shell = $shell; Run = $shell.BeginInvoke() }
}

function Add-Answer($Link, [string] $Number, [string] $Code, [string[]] $Texts) {
    Add-Frame $Link a (ConvertTo-Content (@($Number, $Code) + $Texts))
}

# What a question has come to.
function Complete-Work($Link, $Work) {
    try {
        $texts = [string[]] @($Work.Shell.EndInvoke($Work.Run))
        if ($Work.Number) { Add-Answer $Link $Work.Number '' $texts }
    }
    catch {
        # By Stop-Question, or an error that it did not expect.
        $code = 'Failed'
        for ($e = $_.Exception; $e; $e = $e.InnerException) {
            if ($e.ErrorRecord -and $e.ErrorRecord.FullyQualifiedErrorId -cmatch '^Question([A-Z][A-Za-z]*)$') { $code = $Matches[1] }
        }
        if ($Work.Number) { Add-Answer $Link $Work.Number $code @($_.Exception.GetBaseException().Message) }
    }
    $Work.Shell.Dispose()
}

$pool = [runspacefactory]::CreateRunspacePool(1, 50)
$pool.Open()
$working = New-Object Collections.ArrayList
$heard = [Diagnostics.Stopwatch]::StartNew()
$isOver = $false
while ($true) {
    foreach ($frame in $Frames) {
        $heard.Restart()
        $texts = ConvertFrom-Content $frame.Content
        switch -CaseSensitive ($frame.Kind) {
            'q' { $null = $working.Add((Start-Work $pool $texts[0] $texts[1] @($texts | Select-Object -Skip 2))) }
            'p' {
                try {
                    $pipe = New-Pipe $texts[1]
                    $program = [string[]] @($texts | Select-Object -Skip 3)
                    $null = $working.Add((Start-Work $pool '' Invoke-Relay @($pipe, [int] $texts[2], $program)))
                    Add-Answer $Link $texts[0] '' @()
                }
                catch { Add-Answer $Link $texts[0] 'Failed' @($_.Exception.GetBaseException().Message) }
            }
            'k' { $isOver = $true }
        }
    }
    foreach ($work in @($working | Where-Object { $_.Run.IsCompleted })) {
        Complete-Work $Link $work
        $working.Remove($work)
    }
    $isOver = $isOver -or $Link.IsOver -or $heard.Elapsed.TotalSeconds -ge $Patience
    if ($isOver -and -not ($working | Where-Object { -not $_.Number })) { break }
    $handles = New-Object Collections.ArrayList
    if (-not $Link.IsOver) { $handles.AddRange(@(Start-Transfer $Link)) }
    foreach ($work in $working) { $null = $handles.Add($work.Run.AsyncWaitHandle) }
    if ($handles.Count) { $null = [Threading.WaitHandle]::WaitAny([Threading.WaitHandle[]] $handles.ToArray(), 1000) }
    $Frames = if ($Link.IsOver) { @() } else { @(Receive-Frame $Link) }
}

# Questions that nobody waits for any more may hang.
[Environment]::Exit(0)
