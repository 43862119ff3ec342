#requires -Version 7.4
# The figures of PowerShell remoting, beside the remoting of PowerShell's own to a process of this machine: without a network, and by ssh.
param(
    [Parameter(Mandatory)] [string] $Module,
    [Parameter(Mandatory)] [string] $Agent,
    [Parameter(Mandatory)] [string] $Folder
)
$ErrorActionPreference = 'Stop'
Import-Module $Module
. $PSScriptRoot/Comparison.ps1

function New-LocalSession {
    [CmdletBinding()]
    [OutputType([Management.Automation.Runspaces.PSSession])]
    param()
    $runspace = [runspacefactory]::CreateOutOfProcessRunspace($null)
    $runspace.Open()
    [Management.Automation.Runspaces.PSSession]::Create($runspace, 'Local', $PSCmdlet)
}

# An sshd for this run only, with keys of its own.
function Start-Sshd([string] $Sshd) {
    foreach ($key in 'host', 'user') { & ssh-keygen -q -t ed25519 -N '' -f (Join-Path $Folder $key) }
    Copy-Item (Join-Path $Folder user.pub) (Join-Path $Folder authorized)
    $null = New-Item /run/sshd -ItemType Directory -Force
    $listener = [Net.Sockets.TcpListener]::new([ipaddress]::Loopback, 0)
    $listener.Start()
    $script:port = $listener.LocalEndpoint.Port
    $listener.Stop()
    Set-Content (Join-Path $Folder sshd_config) @"
ListenAddress 127.0.0.1:$port
HostKey $Folder/host
AuthorizedKeysFile $Folder/authorized
PidFile none
StrictModes no
PermitRootLogin prohibit-password
Subsystem powershell $((Get-Command pwsh -CommandType Application)[0].Source) -sshs -NoLogo -NoProfile
"@
    Start-Process $Sshd '-D', '-e', '-f', "$Folder/sshd_config" -PassThru -RedirectStandardError (Join-Path $Folder sshd.log)
}

function New-SshSession {
    $end = [datetime]::UtcNow.AddSeconds(10)
    while (-not (Test-Connection 127.0.0.1 -TcpPort $port -Quiet)) {
        if ([datetime]::UtcNow -gt $end) { throw "sshd does not listen: $(Get-Content (Join-Path $Folder sshd.log))" }
    }
    New-PSSession -HostName 127.0.0.1 -Port $port -UserName ([Environment]::UserName) -KeyFilePath (Join-Path $Folder user) -Options @{
        StrictHostKeyChecking = 'no'; UserKnownHostsFile = '/dev/null'; LogLevel = 'ERROR'
    }
}

# Until .NET has compiled what both PowerShells do again and again, which takes it a core and more meanwhile.
function Start-WarmUp($Session) {
    $start = [Diagnostics.Stopwatch]::StartNew()
    do {
        Copy-Item $big "$Folder/copy" -ToSession $Session
        foreach ($i in 1..20) { $null = Invoke-Command -Session $Session { 1 } }
    } while ($start.Elapsed.TotalSeconds -lt 20)
}

function Write-SessionFigure([string] $Beside, $Other, [string] $CommandAim = '-', [string] $CopyAim = '-') {
    $times = 50
    Start-WarmUp $Other
    Write-Comparison "Invoke-Command in New-QemuGuestPSSession, beside $Beside" $CommandAim $times 9 `
        { for ($i = 0; $i -lt $times; $i++) { $null = Invoke-Command -Session $Other { 1 } } } `
        { for ($i = 0; $i -lt $times; $i++) { $null = Invoke-Command -Session $guest { 1 } } }
    Write-Comparison "Copy-Item -ToSession of 4 MiB there, beside $Beside" $CopyAim 1 3 `
        { Copy-Item $big "$Folder/copy" -ToSession $Other } `
        { Copy-Item $big "$Folder/copy" -ToSession $guest }
    Write-Comparison "Copy-Item -FromSession of 4 MiB there, beside $Beside" $CopyAim 1 3 `
        { Copy-Item $big "$Folder/copy" -FromSession $Other } `
        { Copy-Item $big "$Folder/copy" -FromSession $guest }
}

$big = Join-Path $Folder big
[IO.File]::WriteAllBytes($big, [Security.Cryptography.RandomNumberGenerator]::GetBytes(4MB))
$vm = Connect-QemuGuestAgent $Agent
$guest = New-QemuGuestPSSession $vm
Start-WarmUp $guest
$local = New-LocalSession
Write-SessionFigure 'a runspace in another process of this machine' $local
Remove-PSSession $local
if ($program = Get-Command sshd, /usr/sbin/sshd -CommandType Application -ErrorAction Ignore | Select-Object -First 1) {
    $sshd = Start-Sshd $program.Source
    try {
        $ssh = New-SshSession
        Write-SessionFigure 'PowerShell over ssh to this machine' $ssh -CommandAim '<= 1.2' -CopyAim '<= 1.5'
        Remove-PSSession $ssh
    }
    finally {
        $sshd.Kill()
    }
}
else {
    '| Invoke-Command in New-QemuGuestPSSession, beside PowerShell over ssh | no sshd here | - | - | - |'
}
Remove-PSSession $guest
Disconnect-QemuGuestAgent $vm
