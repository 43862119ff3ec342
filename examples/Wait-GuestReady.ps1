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
function Get-Rest { [math]::Max(0.001, ($end - [datetime]::UtcNow).TotalSeconds) }

$failed = @()
$sessions = @(Wait-QemuGuestAgent -Endpoint $Endpoint -TimeoutSeconds $TimeoutSeconds -ErrorAction SilentlyContinue -ErrorVariable +failed)
try {
    # A guest that cannot run the command now may be able to in a moment; the last reason is reported. All have to be ready, so
    # checking one after the other costs nothing.
    $program = $Command | Select-Object -First 1
    $arguments = @($Command | Select-Object -Skip 1)
    $open = @(if ($program) { $sessions })
    $reasons = @{}
    while ($open) {
        $open = @($open | Where-Object {
                $run = @{ FilePath = $program; ArgumentList = $arguments; TimeoutSeconds = Get-Rest; Confirm = $false }
                $result = Invoke-QemuGuestProcess $_ @run -ErrorAction SilentlyContinue -ErrorVariable problem
                $reasons[$_.Id] = if ($problem) { "$problem" } else { "'$Command' ended with $($result.ExitCode). $($result.StandardError)" }
                -not $result -or $result.ExitCode -ne 0
            })
        if ([datetime]::UtcNow -ge $end) { break }
        if ($open) { Start-Sleep -Milliseconds ([math]::Min(1000, 1000 * (Get-Rest))) }
    }
}
finally { $sessions | Disconnect-QemuGuestAgent }

foreach ($session in $sessions) {
    if ($session -in $open) { "$($session.Name): not ready: $($reasons[$session.Id])" } else { "$($session.Name): ready" }
}
$failed | ForEach-Object { "$($_.TargetObject): not ready: $_" }
exit [int] ($open.Count + $failed.Count -gt 0)
