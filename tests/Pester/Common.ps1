# Dot-sourced by every test file: the module as it was built, and the real agent where there is one.

$module = if ($env:QEMU_GUEST_AGENT_MODULE) { $env:QEMU_GUEST_AGENT_MODULE } else { Join-Path $PSScriptRoot '../../out/QemuGuestAgent' }
Import-Module $module -Force
$ModulePath = (Get-Module QemuGuestAgent).Path

$OnWindows = $env:OS -eq 'Windows_NT'

# In Wine, Linux' own programs are there to be seen.
$RealAgentPath = if (-not $OnWindows) { (Get-Command qemu-ga, /usr/sbin/qemu-ga -CommandType Application -ErrorAction Ignore | Select-Object -First 1).Source }

# For -ForEach: the system's agent, and a further one where QEMU_GA_NEW names it. Where there is none, one that is skipped.
$RealAgents = @(@{ AgentName = 'the system'; AgentPath = $RealAgentPath }) +
    @(if ($RealAgentPath -and $env:QEMU_GA_NEW) { @{ AgentName = 'QEMU_GA_NEW'; AgentPath = $env:QEMU_GA_NEW } })

# Splatted where a test needs what is not everywhere; of a test that is skipped so, the tag is told as the reason.
$NeedsRealAgent = @{ Skip = -not $RealAgentPath; Tag = 'it needs qemu-ga: apt-get install qemu-guest-agent' }
$NeedsSerialAgent = if (-not $RealAgentPath -or (Get-Command socat -CommandType Application -ErrorAction Ignore)) { $NeedsRealAgent }
    else { @{ Skip = $true; Tag = 'it needs socat: apt-get install socat' } }
$NeedsUnixSockets = @{ Skip = -not [Net.Sockets.Socket]::OSSupportsUnixDomainSockets; Tag = 'it needs Unix domain sockets of .NET' }

# The commands by which a real agent would act on this machine.
$BlockedCommands = @(
    'guest-shutdown', 'guest-suspend-disk', 'guest-suspend-ram', 'guest-suspend-hybrid', 'guest-set-time', 'guest-set-user-password'
    'guest-fsfreeze-freeze', 'guest-fsfreeze-freeze-list', 'guest-fsfreeze-thaw', 'guest-fstrim', 'guest-set-vcpus'
    'guest-set-memory-blocks', 'guest-ssh-add-authorized-keys', 'guest-ssh-remove-authorized-keys'
) -join ','

function Wait-Until([scriptblock] $Condition) {
    $end = [datetime]::UtcNow.AddMinutes(2)
    while (-not (& $Condition)) {
        if ([datetime]::UtcNow -gt $end) { throw "This did not come: $Condition" }
        [Threading.Thread]::Sleep(5)
    }
}

# A program that nobody has waited for has ended too.
function Test-Running($Id) { (Test-Path "/proc/$Id/stat") -and (Get-Content "/proc/$Id/stat" -ErrorAction Ignore) -match '\) [^ZX] ' }

# A socket is there before anybody listens on it.
function Test-Listening([string] $Socket) { @(Get-Content /proc/net/unix) -match " 00010000 .* $([regex]::Escape($Socket))$" }

# In a folder of its own, which is short enough for a socket and is the test's too. One that listens itself ends with a client that has
# left a reply unread, as one that is killed may: for such clients it stands behind a serial port, as in a virtual machine.
function Start-RealAgent([string] $AgentPath = $RealAgentPath, [switch] $Serial) {
    $folder = Join-Path ([IO.Path]::GetTempPath()) "qga-$([guid]::NewGuid().ToString('N'))"
    $null = New-Item $folder -ItemType Directory
    $agent = [pscustomobject]@{ Process = $null; Endpoint = "unix:$folder/qga.sock"; Folder = $folder; Line = $null; Ends = @() }
    $way = 'unix-listen', "$folder/qga.sock"
    if ($Serial) {
        $way = 'virtio-serial', "$folder/guest"
        $agent.Endpoint = "serial:$folder/host"
        $agent.Line = Start-Process socat "PTY,link=$folder/guest,rawer", "PTY,link=$folder/host,rawer" -PassThru
        # An end that nobody holds would end the line.
        $agent.Ends = foreach ($path in "$folder/guest", "$folder/host") {
            Wait-Until { Test-Path $path }
            [IO.FileStream]::new($path, 'Open', 'ReadWrite', 'ReadWrite')
        }
    }
    $arguments = '-m', $way[0], '-p', $way[1], '-t', $folder, '-f', (Join-Path $folder 'qga.pid'), "--block-rpcs=$BlockedCommands"
    $agent.Process = Start-Process $AgentPath $arguments -PassThru -RedirectStandardError (Join-Path $folder 'qga.err')
    Wait-Until {
        if ($agent.Process.HasExited) { throw "The agent has ended: $(Get-Content (Join-Path $folder 'qga.err'))" }
        $Serial -or (Test-Listening "$folder/qga.sock")
    }
    $agent
}

function Stop-RealAgent($Agent) {
    $Agent.Ends | ForEach-Object Dispose
    foreach ($process in $Agent.Process, $Agent.Line -ne $null) {
        $process.Kill()
        $process.WaitForExit()
    }
    Remove-Item -LiteralPath $Agent.Folder -Recurse -Force
}

# What the agent of a test has open of what was made for its clients.
function Get-Leftover {
    $open = Get-ChildItem "/proc/$($agent.Process.Id)/fd" -ErrorAction Stop | ForEach-Object { (Get-Item $_ -Force -ErrorAction Ignore).LinkTarget }
    # Its channel at least.
    $open | Should -Not -BeNullOrEmpty
    $open | Where-Object { $_ -like '*qemu-guest-agent-*' }
}

# Of an embedded agent of the test's own: its name stands for one agent of the process, which outlives sessions.
function New-Endpoint([string] $Options) { "embedded:$([guid]::NewGuid().ToString('N'))$(if ($Options) { "?$Options" })" }

# Not the path of this process, which is dotnet's where PowerShell is one of its tools.
$pwsh = (Get-Command $PSHOME/pwsh.exe, $PSHOME/powershell.exe, pwsh -CommandType Application -ErrorAction Ignore | Select-Object -First 1).Source

# It may lie in a folder of one user's only.
function Test-PwshForAll { -not $OnWindows -and [Environment]::UserName -eq 'root' -and "$(su -s /bin/sh nobody -c "'$pwsh' -Version" 2>$null)" -like 'PowerShell *' }

# The launcher of a dotnet tool is another process than its PowerShell, and takes the signals for it.
function Test-PwshTakesSignals {
    if ($OnWindows) { return $false }
    $ids = & /bin/sh -c 'echo $$; exec "$0" -NoProfile -Command "\$PID"' $pwsh
    $ids[0] -eq $ids[1]
}

# What a script writes in a fresh PowerShell.
function Invoke-Fresh([string] $Script) {
    $output = & $pwsh -NoProfile -NonInteractive -Command $Script 2>&1
    if ($LASTEXITCODE -ne 0) { throw "exit code ${LASTEXITCODE}: $output" }
    $output
}
