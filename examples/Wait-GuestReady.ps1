#requires -Version 5.1
#requires -Modules QemuGuestAgent

<#
.SYNOPSIS
A readiness gate for a pipeline: exits with 0 once all guests are ready, and with 1 if one is not ready in time.
.DESCRIPTION
Waits until the agents answer, even if the virtual machines are not started yet, and then until a command in each guest
succeeds, such as one that checks whether a service is running. Writes each guest's state as a line for the pipeline's log.
.PARAMETER Endpoint
The guests' channels; they need not exist yet.
.PARAMETER Command
A program in the guest and its arguments. It is repeated until it exits with 0; without it, an agent that answers is enough.
.PARAMETER TimeoutSeconds
The time limit for the whole operation.
.EXAMPLE
pwsh ./Wait-GuestReady.ps1 /run/vm/ci.sock -TimeoutSeconds 600
.EXAMPLE
./Wait-GuestReady.ps1 /run/vm/web1.sock, /run/vm/web2.sock -Command /usr/bin/systemctl, is-active, --quiet, nginx
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory, Position = 0)]
    [string[]] $Endpoint,

    [string[]] $Command,

    [ValidateRange(0.1, 86400)]
    [double] $TimeoutSeconds = 300
)

$end = [datetime]::UtcNow.AddSeconds($TimeoutSeconds)
function Get-Rest($Most = $TimeoutSeconds) { [math]::Max(0.001, [math]::Min($Most, ($end - [datetime]::UtcNow).TotalSeconds)) }

# Agents that do not answer yet are waited for in short rounds: the time of the other guests passes too.
$round = [math]::Min(10.0, $TimeoutSeconds / 4)
$missing = @($Endpoint | Select-Object -Unique)
$sessions = $open = @()
$reasons = @{}
try {
    do {
        if ($missing) {
            $found = @(Wait-QemuGuestAgent -Endpoint $missing -TimeoutSeconds (Get-Rest $round) -ErrorAction SilentlyContinue -ErrorVariable problems)
            $problems | ForEach-Object { $reasons["$($_.TargetObject)"] = "$_" }
            $missing = @($problems | ForEach-Object { "$($_.TargetObject)" })
            $sessions += $found
            $open += @(if ($Command) { $found })
        }

        # A guest that cannot run the command now may be able to in a moment; the last reason is reported.
        if ($open) {
            $run = @{ FilePath = $Command[0]; ArgumentList = @($Command | Select-Object -Skip 1); TimeoutSeconds = Get-Rest; Confirm = $false }
            $results = @(Invoke-QemuGuestProcess $open @run -ErrorAction SilentlyContinue -ErrorVariable problems)
            $problems | ForEach-Object { $reasons[$_.TargetObject.Name] = "$_" }
            $results | ForEach-Object { $reasons[$_.PSGuestName] = "'$Command' ended with $($_.ExitCode). $($_.StandardError)" }
            $ready = @($results | Where-Object ExitCode -EQ 0 | ForEach-Object PSGuestName)
            $open = @($open | Where-Object Name -NotIn $ready)
        }

        if ($missing -or $open) { Start-Sleep -Milliseconds ([math]::Min(1000, 1000 * (Get-Rest))) }
    } while (($missing -or $open) -and (Get-Rest) -gt 0.1)
}
finally { $sessions | Disconnect-QemuGuestAgent }

foreach ($session in $sessions) {
    if ($session -in $open) { "$($session.Name): not ready: $($reasons[$session.Name])" } else { "$($session.Name): ready" }
}
$missing | ForEach-Object { "${_}: not ready: $($reasons[$_])" }
exit [int] ($open.Count + $missing.Count -gt 0)
