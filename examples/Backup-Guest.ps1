#requires -Version 5.1
#requires -Modules QemuGuestAgent

<#
.SYNOPSIS
Backs up the disks of a running guest at a consistent point in time: freeze, snapshot, thaw, qemu-img.
.DESCRIPTION
Freezes the guest's file systems, copies the disk images by reference, which takes no time and no space on btrfs and XFS, thaws the
guest, and only then converts the copies to compressed qcow2 files with qemu-img. The guest is frozen for a moment only, not for the
duration of the backup. A backup gets its name only once it is complete: a failure leaves nothing behind.
.PARAMETER Endpoint
The guest's channel.
.PARAMETER Disk
The images of its disks on this host. All of them are copied within one freeze.
.PARAMETER Format
The format of all images. It is never guessed: a guest could write an image header to a raw disk that names
a file on this host as its backing file.
.PARAMETER Destination
The folder for the backups; the copies by reference are created next to the images.
.PARAMETER MaximumSeconds
The maximum time that the guest may be frozen.
.PARAMETER AllowCopy
Makes a full copy if the file system does not support copies by reference; the guest is frozen for that time.
.EXAMPLE
./Backup-Guest.ps1 /run/vm/db1.sock -Disk /srv/vm/db1.qcow2, /srv/vm/db1-data.qcow2 -Destination /backup/db1 -Confirm:$false
#>
[CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
param(
    [Parameter(Mandatory, Position = 0)]
    [string] $Endpoint,

    [Parameter(Mandatory)]
    [ValidateScript({ Test-Path -LiteralPath $_ -PathType Leaf })]
    [string[]] $Disk,

    [ValidateSet('qcow2', 'raw')]
    [string] $Format = 'qcow2',

    [Parameter(Mandatory)]
    [ValidateScript({ Test-Path -LiteralPath $_ -PathType Container })]
    [string] $Destination,

    [double] $MaximumSeconds = 30,

    [switch] $AllowCopy
)

$ErrorActionPreference = 'Stop'
if (-not $PSCmdlet.ShouldProcess($Endpoint, "Freeze it for at most $MaximumSeconds seconds and back up $($Disk -join ', ')")) { return }

# A program that fails is an error here, with its output.
function Invoke-Program([string] $Name, [string[]] $ArgumentList) {
    $said = & $Name @ArgumentList 2>&1
    if ($LASTEXITCODE -ne 0) { throw "$Name failed ($LASTEXITCODE): $said" }
}

$stamp = [datetime]::UtcNow.ToString('yyyyMMddTHHmmssZ', [cultureinfo]::InvariantCulture)
$work = foreach ($image in $Disk) {
    $file = Get-Item -LiteralPath $image
    [pscustomobject]@{
        Image = $file.FullName
        Copy = "$($file.FullName).$stamp.snapshot"
        Partial = Join-Path $Destination "$($file.BaseName)-$stamp.qcow2.partial"
        Backup = Join-Path $Destination "$($file.BaseName)-$stamp.qcow2"
    }
}
$reflink = if ($AllowCopy) { '--reflink=auto' } else { '--reflink=always' }

$session = Connect-QemuGuestAgent $Endpoint
try {
    Use-QemuGuestFrozenFileSystem $session -MaximumSeconds $MaximumSeconds -OutcomeVariable outcome -ScriptBlock {
        foreach ($one in $work) { Invoke-Program cp $reflink, '--', $one.Image, $one.Copy }
    }
    if (-not $outcome.IsConsistent) { throw "The copies are not consistent: $($outcome.Reason)" }

    foreach ($one in $work) {
        Invoke-Program qemu-img convert, '-f', $Format, '-O', qcow2, '-c', $one.Copy, $one.Partial
        Invoke-Program qemu-img check, '-q', '-f', qcow2, $one.Partial
        Move-Item -LiteralPath $one.Partial -Destination $one.Backup
        [pscustomobject]@{ Guest = $session.Name; Disk = $one.Image; Backup = $one.Backup; Length = (Get-Item -LiteralPath $one.Backup).Length; Frozen = $outcome.Duration }
    }
}
finally {
    Disconnect-QemuGuestAgent $session
    @($work.Copy) + @($work.Partial) | Where-Object { Test-Path -LiteralPath $_ } | ForEach-Object { Remove-Item -LiteralPath $_ -ErrorAction Continue }
}
