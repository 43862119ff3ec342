#requires -Version 7.4

<#
.SYNOPSIS
Makes the README's pictures, assets/terminal.svg and assets/shell.svg, of what a terminal shows when these lines are typed.
.DESCRIPTION
Types into a PowerShell on a host with guests (tests/tools/host.sh) in a terminal of tmux, and draws what that shows. For root on
Debian, with tmux beside what host.sh needs; the module is the one in out/.
#>
[CmdletBinding()]
param([string] $Folder = "$PSScriptRoot/../assets")

$ErrorActionPreference = 'Stop'
. $PSScriptRoot/../tests/Pester/Common.ps1
$env:QEMU_GA, $env:QEMU_GA_BLOCKED = $RealAgentPath, $BlockedCommands
$env:PSModulePath = "$(Split-Path (Get-Module QemuGuestAgent).ModuleBase):$env:PSModulePath"
$width, $height = 100, 40
$work = (New-Item "$([IO.Path]::GetTempPath())/picture-$([guid]::NewGuid().ToString('n'))" -ItemType Directory).FullName

function Read-Screen { tmux -S "$work/tmux" capture-pane -p @args }

# Types a line once there is a prompt for it, and waits for the next.
function Send-Line([string] $Line) {
    tmux -S "$work/tmux" send-keys -l $Line
    tmux -S "$work/tmux" send-keys Enter
    Wait-Prompt
}
function Wait-Prompt {
    $end = [datetime]::UtcNow.AddMinutes(1)
    do {
        if ([datetime]::UtcNow -gt $end) { throw "There is no prompt:`n$((Read-Screen) -join "`n")" }
        [Threading.Thread]::Sleep(100)
        $last = @(Read-Screen) -ne '' | Select-Object -Last 1
    } until ($last -match '^(PS [^>]*>|[^ ]+@[^ ]+#) ?$')
}

try {
    tmux -S "$work/tmux" -f /dev/null new-session -d -x $width -y $height "$PSScriptRoot/../tests/tools/host.sh" $pwsh -NoLogo -NoProfile
    Wait-Prompt
    Send-Line 'Set-Location /srv; Set-PSReadLineOption -HistorySaveStyle SaveNothing -PredictionSource None; Clear-Host'
    Send-Line '$vm = Find-QemuGuestAgent | Connect-QemuGuestAgent; $vm'
    Send-Line 'Get-QemuGuest $vm | Format-Table PSGuestName, OperatingSystem, IPAddresses'
    Send-Line 'Invoke-QemuGuestScript $vm -ScriptText "hostname; exit 3"'
    Send-Line 'Invoke-QemuGuestAgentCommand $vm[0] osinfo'
    $screens = @{ terminal = Read-Screen '-e' }
    Send-Line 'Clear-Host'
    Send-Line 'Enter-QemuGuest $vm[0]'
    Send-Line 'hostname; tty; stty size'
    Send-Line 'ls -l /var/log/*.log'
    Send-Line 'exit'
    $screens.shell = Read-Screen '-e'
}
finally {
    tmux -S "$work/tmux" kill-server
}

Remove-Item $work -Recurse

# By their codes in ECMA-48; 9x are the bright ones, as which bold ones are shown too.
$colours = @{ 31 = '#ff7b72'; 32 = '#7ee787'; 33 = '#f2cc60'; 34 = '#79c0ff'; 35 = '#d2a8ff'; 36 = '#76e3ea'; 37 = '#e6edf3'; 90 = '#9ea7b3' }
foreach ($name in $screens.Keys) {
    $screen = $screens[$name]
    $colour, $y = $null, 12
    $texts = foreach ($line in $screen[0..([array]::FindLastIndex($screen, [Predicate[string]] { $args[0] -ne '' }))]) {
        $y += 18
        $spans = foreach ($part in [regex]::Matches($line, '\x1b\[(?<codes>[\d;]*)m|(?<text>[^\x1b]+)')) {
            if ($part.Groups['text'].Success) {
                $text = [Security.SecurityElement]::Escape($part.Value)
                if ($colour) { "<tspan fill=`"$colour`">$text</tspan>" } else { $text }
                continue
            }
            foreach ($code in [int[]] ($part.Groups['codes'].Value -split ';')) {
                $named = $colours[$code] ?? $colours[$code - 60]
                if ($named) { $colour = $named } elseif ($code -in 0, 39) { $colour = $null }
            }
        }
        "<text x=`"16`" y=`"$y`" xml:space=`"preserve`">$(-join $spans)</text>"
    }
    @"
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 $(32 + 8.43 * $width) $($y + 16)" font-family="'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14" fill="#e6edf3">
<rect width="100%" height="100%" rx="8" fill="#161b22"/>
$($texts -join "`n")
</svg>
"@ | Set-Content "$Folder/$name.svg"
}
