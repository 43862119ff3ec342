# Dot-sourced after Common.ps1 by the tests of a whole guest, which is not the machine that they run on.

# In Wine there is nothing to reach one by.
$InWine = $OnWindows -and (Test-Path HKLM:\Software\Wine)

# The user's own: the tests change nothing in it but a folder of their own, which they remove.
$NamedEndpoint = if (-not $InWine) { $env:QEMU_GUEST_ENDPOINT }

# What QEMU_GUEST_ENDPOINT names. An endpoint that leads nowhere fails the tests: whoever set it wants them to run.
function Get-NamedGuest {
    if (-not $NamedEndpoint) { return }
    $session = Connect-QemuGuestAgent $NamedEndpoint -ErrorAction Stop
    try {
        [pscustomobject]@{
            Endpoint = $NamedEndpoint
            OfWindows = (Invoke-QemuGuestAgentCommand $session guest-get-osinfo -ErrorAction Stop).id -eq 'mswindows'
            CanRun = (Get-QemuGuestAgentCommand $session -Name guest-exec -ErrorAction Stop).Enabled
        }
    }
    finally { Disconnect-QemuGuestAgent $session }
}

# A folder in the guest that only the agent's user knows the name of.
function New-GuestFolder($Session, [bool] $OfWindows) {
    if ($OfWindows) {
        Invoke-QemuGuestScript $Session {
            $folder = [IO.Path]::Combine([IO.Path]::GetTempPath(), "qga-$([guid]::NewGuid().ToString('N'))")
            $null = [IO.Directory]::CreateDirectory($folder)
            $folder
        } -ErrorAction Stop
    }
    else { (Invoke-QemuGuestProcess $Session mktemp -ErrorAction Stop -- -d).StandardOutput.Trim() }
}

function Remove-GuestFolder($Session, [bool] $OfWindows, [string] $Folder) {
    if ($OfWindows) { Invoke-QemuGuestScript $Session { [IO.Directory]::Delete($using:Folder, $true) } -ErrorAction Stop }
    else { (Invoke-QemuGuestProcess $Session rm -ErrorAction Stop -- -r $Folder).StandardError | Should -BeNullOrEmpty }
}

# A file of this machine with bytes that compress badly; its hash.
function New-RandomFile([string] $Path, [int] $Length) {
    $bytes = [byte[]]::new($Length)
    [Random]::new($Length).NextBytes($bytes)
    [IO.File]::WriteAllBytes($Path, $bytes)
    (Get-FileHash $Path).Hash
}
