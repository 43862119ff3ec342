#requires -Version 7.4
# The figures of the benchmarks that are measured in PowerShell; each is written as a row of the table.
param(
    [Parameter(Mandatory)] [string] $Module,
    [Parameter(Mandatory)] [string] $EmptyModule,
    [Parameter(Mandatory)] [string] $Agent,
    [Parameter(Mandatory)] [string] $Canned,
    [Parameter(Mandatory)] [string] $Relayed,
    [Parameter(Mandatory)] [string] $PlainRelayed,
    [Parameter(Mandatory)] [string] $Folder
)
$ErrorActionPreference = 'Stop'
Import-Module $Module, $EmptyModule

. $PSScriptRoot/Comparison.ps1

# What a script without the module does: the same bytes over .NET's socket, and ConvertFrom-Json.
$script:socket = $null
function Connect-Plain([string] $Path) {
    $script:socket = [Net.Sockets.Socket]::new('Unix', 'Stream', 'Unspecified')
    $socket.Connect([Net.Sockets.UnixDomainSocketEndPoint]::new($Path))
}
$buffer = [byte[]]::new(65536)
$ping = [Text.Encoding]::ASCII.GetBytes('{"execute":"guest-ping","id":1234567890123456789}' + "`n")
function Invoke-Plain {
    $null = $socket.Send($ping)
    $count = 0
    do { $count += $socket.Receive($buffer, $count, $buffer.Length - $count, 'None') } until ($buffer[$count - 1] -eq 10)
    ConvertFrom-Json ([Text.Encoding]::ASCII.GetString($buffer, 0, $count))
}

# Each on an agent of its own.
Connect-Plain (Get-Content (Join-Path $Folder 'guests') -TotalCount 1)
$session = Connect-QemuGuestAgent $Agent
$times = 200
Write-Comparison 'Invoke-QemuGuestAgentCommand guest-ping in a loop, beside a script with sockets and ConvertFrom-Json' '< 1' $times 11 `
    { for ($i = 0; $i -lt $times; $i++) { Invoke-Plain } } `
    { for ($i = 0; $i -lt $times; $i++) { Invoke-QemuGuestAgentCommand $session guest-ping } }
Write-Comparison 'the same by pipeline' '< 1' $times 11 `
    { for ($i = 0; $i -lt $times; $i++) { Invoke-Plain } } `
    { @($session) * $times | Invoke-QemuGuestAgentCommand guest-ping }
Write-Comparison 'the same loop, beside a cmdlet that does nothing (what the engine takes)' '-' $times 11 `
    { for ($i = 0; $i -lt $times; $i++) { Invoke-Nothing $session guest-ping } } `
    { for ($i = 0; $i -lt $times; $i++) { Invoke-QemuGuestAgentCommand $session guest-ping } }
$socket.Dispose()
Disconnect-QemuGuestAgent $session

Connect-Plain $PlainRelayed
$session = Connect-QemuGuestAgent $Relayed
Write-Comparison 'Invoke-QemuGuestAgentCommand guest-ping in a loop through a relay, as QEMU is one, beside that script' '< 1' $times 11 `
    { for ($i = 0; $i -lt $times; $i++) { Invoke-Plain } } `
    { for ($i = 0; $i -lt $times; $i++) { Invoke-QemuGuestAgentCommand $session guest-ping } }
$socket.Dispose()
Disconnect-QemuGuestAgent $session

$big = Connect-QemuGuestAgent $Canned
$text = [IO.File]::ReadAllText((Join-Path $Folder 'interfaces.json'))
Write-Comparison '10,000 interfaces to objects, the transport included, beside ConvertFrom-Json of the text: times as fast' '>= 2' 1 11 -Speedup `
    { $null = ConvertFrom-Json $text } `
    { $null = Invoke-QemuGuestAgentCommand $big guest-network-get-interfaces }
Disconnect-QemuGuestAgent $big

$embedded = Connect-QemuGuestAgent (@('embedded:') * 1000)
Write-Comparison 'Get-QemuGuest of 1,000 embedded guests, beside one after the other: times as fast' "near $([Environment]::ProcessorCount) cores" 1 5 -Speedup `
    { $null = Get-QemuGuest $embedded -ThrottleLimit 1 } `
    { $null = Get-QemuGuest $embedded }
Disconnect-QemuGuestAgent $embedded

$real = Connect-QemuGuestAgent @(Get-Content (Join-Path $Folder 'guests') | Select-Object -Skip 1)
Write-Comparison "Get-QemuGuest of $($real.Count) real agents, beside one after the other: times as fast" "near $([Environment]::ProcessorCount) cores" 1 5 -Speedup `
    { $null = Get-QemuGuest $real -ThrottleLimit 1 } `
    { $null = Get-QemuGuest $real }
Disconnect-QemuGuestAgent $real

# In fresh processes: what is imported once is there for good.
$pwsh = (Get-Command pwsh -CommandType Application | Select-Object -First 1).Source
function Measure-Fresh([string] $Script) { [double](& $pwsh -NoProfile -NonInteractive -Command "`$watch = [Diagnostics.Stopwatch]::StartNew(); $Script; `$watch.Elapsed.TotalMilliseconds") }
$imports = foreach ($round in 1..11) {
    [pscustomobject]@{
        Empty = Measure-Fresh "Import-Module '$EmptyModule'"
        Ours = Measure-Fresh "Import-Module '$Module'"
        First = Measure-Fresh "Import-Module '$Module'; `$null = Connect-QemuGuestAgent '$Agent'"
    }
}
$empty = Get-Median $imports.Empty
foreach ($what in @{ Name = 'Ours'; Figure = 'Import-Module'; Aim = '<= 1.5' }, @{ Name = 'First'; Figure = 'Import-Module and the first Connect'; Aim = '-' }) {
    $ratios = @($imports | ForEach-Object { $_.($what.Name) / $_.Empty } | Sort-Object)
    '| {0}, beside the import of an empty binary module with a manifest | {1} | {2} | {3:0.00} ({4:0.00} to {5:0.00}) | {6} |' -f $what.Figure, (Format-Time $empty),
        (Format-Time (Get-Median $imports.($what.Name))), (Get-Median $ratios), $ratios[2], $ratios[8], $what.Aim
}
