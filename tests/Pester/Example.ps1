# How the examples of the help and of the README are run, and what they count on: a session, files, and someone at the keyboard.

function Read-Secret { [Net.NetworkCredential]::new('', 'hunter2').SecurePassword }
function Get-Secret { [pscredential]::new('root', (Read-Secret)) }
function Open-Session($Session) { Invoke-Command $Session { } }
Set-Alias Read-Host Read-Secret
Set-Alias Get-Credential Get-Secret
Set-Alias Enter-PSSession Open-Session

function New-ExampleFile {
    Set-Content alice.pub, admins.pub 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID7RjvM4Bhf7EoONB73K3uMdnmKNYdhyZ7NpRdAO5hyl alice@host'
    $null = New-Item .ssh -ItemType Directory -Force
    Copy-Item alice.pub .ssh
    Set-Content upgrade.sh, check.sh 'echo well'
    Set-Content snapshot.ps1 '# the disks, one by one'
    Set-Content app.json '{ "port": 8080 }'
    Set-Content image.raw ('x' * 100000)
}

# Runs an example in a folder of its own, and gives what it writes and what fails as text. Its $vm is what Connect-QemuGuestAgent
# connects to with these parameters.
function Invoke-Example([string] $Code, [hashtable] $Connection, [string] $Folder) {
    $provider = Get-PSProvider FileSystem
    $userFolder, $culture = $provider.Home, [cultureinfo]::CurrentCulture
    $provider.Home, [cultureinfo]::CurrentCulture = $Folder, [cultureinfo]::InvariantCulture
    Push-Location $Folder
    try {
        New-ExampleFile
        # A channel takes one client: none is there before an example that connects by itself.
        if ($Code -notmatch '\bConnect-|-Endpoint') { $vm = Connect-QemuGuestAgent @Connection }
        if ($vm -and $Connection.Endpoint -eq 'embedded:') { Add-QemuGuestSshKey $vm root -Path alice.pub }

        # What goes on until someone stops it is stopped at its first line.
        $end = if ($Code -match '-Tail \d+ -Wait') { '| Select-Object -First 1' }
        $all = & ([scriptblock]::Create("`$ErrorActionPreference = 'Stop'; `$ConfirmPreference = 'None'`n$Code$end")) *>&1
        @{ Output = $all | Out-String -Width 150; Failed = $all | Where-Object { $_ -is [System.Management.Automation.ErrorRecord] } | Out-String }
    }
    catch {
        @{ Output = ''; Failed = $_ | Out-String }
    }
    finally {
        Get-PSSession | Remove-PSSession
        Get-QemuGuestAgent | Disconnect-QemuGuestAgent
        Pop-Location
        $provider.Home, [cultureinfo]::CurrentCulture = $userFolder, $culture
    }
}

# Runs what is typed, line by line, in one scope as at a prompt, and gives what each line writes.
function Invoke-Console([string[]] $Commands, [string] $Folder) {
    Push-Location $Folder
    New-ExampleFile
    foreach ($command in $Commands) {
        # What freezes or restarts acts on the machine that a real agent is on: from there on the guests are embedded ones.
        if ($command -match 'Frozen|Restart-' -and $vm.Endpoint -notlike 'embedded:*') {
            Get-PSSession | Remove-PSSession
            Get-QemuGuestAgent | Disconnect-QemuGuestAgent
            $vm = Connect-QemuGuestAgent 'embedded:web1?boot-delay=500', embedded:db1
        }

        # The prompt tells that a session was entered: the other computer runs it, all but the way back.
        if ($command -match '^\[\S+: PS \S+> (.*)$') { $command = if ($Matches[1] -eq 'exit') { '$null' } else { "Invoke-Command `$s { $($Matches[1]) }" } }
        . ([scriptblock]::Create($command)) *>&1 | Out-String -Width 150
    }
    Get-PSSession | Remove-PSSession
    Get-QemuGuestAgent | Disconnect-QemuGuestAgent
    Pop-Location
}

# Why this machine has no host of guests for the examples, or nothing.
function Get-NoHostReason {
    if (-not $IsLinux) { return 'guests for examples need Linux' }
    $missing = 'qemu-ga', 'sshd', 'socat', 'ip', 'unshare', 'apt-get' | Where-Object { -not (Get-Command $_, "/usr/sbin/$_" -CommandType Application -ErrorAction Ignore) }
    if ($missing) { return "guests for examples need $($missing -join ', ')" }
    if (-not (Test-PwshForAll)) { return "guests for examples need root, and a PowerShell that all users may run: not '$pwsh'" }
    $made = unshare --mount --uts --net --pid --fork sh -ec '
        mount -t tmpfs srv /srv
        mkdir /srv/upper /srv/work /srv/root
        mount -t overlay overlay -o lowerdir=/,upperdir=/srv/upper,workdir=/srv/work /srv/root
        ip tuntap add dev eth0 mode tap
        echo yes' 2>$null
    if (-not $made) { 'guests for examples need the right to mount and to make devices: root, in no container' }
}

# Runs a script on such a host, with these arguments, and gives what it writes.
function Invoke-OnHost([scriptblock] $Script, [string[]] $Arguments, [string] $Folder) {
    Export-Clixml "$Folder/arguments.xml" -InputObject $Arguments
    $modules = $env:PSModulePath
    $env:QEMU_GA, $env:QEMU_GA_BLOCKED, $env:PSModulePath = $RealAgentPath, $BlockedCommands, "$(Split-Path (Get-Module QemuGuestAgent).ModuleBase):$modules"
    try {
        $told = & "$PSScriptRoot/../tools/host.sh" $pwsh -NoProfile -NonInteractive -Command "
            `$PSStyle.OutputRendering = 'PlainText'
            . $PSScriptRoot/Common.ps1
            . $PSScriptRoot/Example.ps1
            & { $Script } (Import-Clixml $Folder/arguments.xml) | Export-Clixml $Folder/results.xml" 2>&1
        if ($LASTEXITCODE) { throw "The host ended with ${LASTEXITCODE}: $told" }
        Import-Clixml "$Folder/results.xml"
    }
    finally {
        $env:QEMU_GA, $env:QEMU_GA_BLOCKED, $env:PSModulePath = $null, $null, $modules
    }
}
