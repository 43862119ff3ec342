#requires -Version 5.1
#requires -Modules QemuGuestAgent

<#
.SYNOPSIS
Patches many guests, some at a time, and stops if one fails.
.DESCRIPTION
Runs the command that installs updates in one wave of guests after the other, restarts them if requested, and waits until
their agents answer again. After a wave with a failure no further wave is started: a bad update does not reach the whole fleet. Writes
the result for each guest.
.PARAMETER Endpoint
The guests' channels, in the order in which they are patched: put the least important ones first.
.PARAMETER Command
The program in the guest and its arguments.
.PARAMETER WaveSize
The number of guests to patch at the same time.
.PARAMETER TimeoutSeconds
The time limit for a guest to install its updates.
.PARAMETER Restart
Restarts each guest afterwards, and waits until it is back.
.EXAMPLE
./Update-GuestFleet.ps1 (Get-ChildItem /run/vm/web*.sock) -WaveSize 3 -Restart -Confirm:$false | Export-Csv patched.csv
.EXAMPLE
./Update-GuestFleet.ps1 /run/vm/db1.sock -Command /usr/bin/dnf, -y, upgrade
#>
[CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
param(
    [Parameter(Mandatory, Position = 0)]
    [string[]] $Endpoint,

    [ValidateNotNullOrEmpty()]
    [string[]] $Command = @('/usr/bin/env', 'DEBIAN_FRONTEND=noninteractive', '/usr/bin/apt-get', '-y', 'upgrade'),

    [ValidateRange(1, 1000)]
    [int] $WaveSize = 5,

    [double] $TimeoutSeconds = 3600,

    [switch] $Restart
)

$ErrorActionPreference = 'Stop'
$program = $Command | Select-Object -First 1
$arguments = @($Command | Select-Object -Skip 1)

for ($first = 0; $first -lt $Endpoint.Count; $first += $WaveSize) {
    $wave = $Endpoint[$first..([math]::Min($first + $WaveSize, $Endpoint.Count) - 1)]
    if (-not $PSCmdlet.ShouldProcess($wave -join ', ', "Run $Command")) { continue }
    $answers = @{}
    $failed = @()
    # Named by their endpoints, so that no two have the same name.
    $sessions = @(Connect-QemuGuestAgent $wave -Name $wave -ErrorAction SilentlyContinue -ErrorVariable +failed)
    try {
        $updated = @()
        if ($sessions) {
            $run = @{ FilePath = $program; ArgumentList = $arguments; TimeoutSeconds = $TimeoutSeconds; Confirm = $false }
            $sessions | Invoke-QemuGuestProcess @run -ErrorAction SilentlyContinue -ErrorVariable +failed | ForEach-Object {
                $answers[$_.PSGuestName] = $_
                if ($_.ExitCode -eq 0) { $updated += $_.PSGuestName }
            }
        }
        $again = @($sessions | Where-Object Name -In $updated)
        if ($Restart -and $again) { Restart-QemuGuest $again -Wait -Confirm:$false -ErrorAction SilentlyContinue -ErrorVariable +failed }
    }
    finally { $sessions | Disconnect-QemuGuestAgent }

    # A failure of one guest is reported in its result, and does not stop the others.
    $results = @(foreach ($name in $wave) {
            $problem = $failed | Where-Object { "$($_.TargetObject)" -eq $name } | Select-Object -First 1
            $result = $answers[$name]
            [pscustomobject]@{
                Guest = $name
                Succeeded = -not $problem -and $null -ne $result -and $result.ExitCode -eq 0
                ExitCode = if ($result) { $result.ExitCode }
                Output = if ($result) { $result.StandardOutput }
                Reason = if ($problem) { "$problem" } elseif ($result -and $result.ExitCode -ne 0) { $result.StandardError }
            }
        })
    $results
    $bad = @($results | Where-Object Succeeded -EQ $false)
    $left = $Endpoint.Count - $first - $wave.Count
    if ($bad -and $left -gt 0) { throw "Stopped after $($bad.Guest -join ', '): $left guests were left unchanged. $($bad[0].Reason)" }
}
