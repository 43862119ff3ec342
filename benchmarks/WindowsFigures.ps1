#requires -Version 7.4
# The figures of PowerShell remoting into a Windows guest, beside a Linux guest, which is this machine.
param(
    [Parameter(Mandatory)] [string] $Module,
    [Parameter(Mandatory)] [string] $Agent,
    [Parameter(Mandatory)] [string] $Folder,
    [Parameter(Mandatory)] [string] $Windows
)
$ErrorActionPreference = 'Stop'
Import-Module $Module
. $PSScriptRoot/Comparison.ps1

$guests = Connect-QemuGuestAgent $Agent, $Windows
$linux, $windowsGuest = $guests | New-QemuGuestPSSession
$times = 20
Write-Comparison 'Invoke-Command in a PSSession, in a Windows guest beside a Linux guest' '-' $times 9 `
    { for ($i = 0; $i -lt $times; $i++) { $null = Invoke-Command -Session $linux { 1 } } } `
    { for ($i = 0; $i -lt $times; $i++) { $null = Invoke-Command -Session $windowsGuest { 1 } } }
$file = Join-Path $Folder file
[IO.File]::WriteAllBytes($file, [byte[]]::new(2MB))
Write-Comparison 'Copy-Item -ToSession of 2 MiB there, in a Windows guest beside a Linux guest' '-' 1 3 `
    { Copy-Item $file "$Folder/copy" -ToSession $linux } `
    { Copy-Item $file 'C:\copy' -ToSession $windowsGuest }
Remove-PSSession $linux, $windowsGuest
Disconnect-QemuGuestAgent $guests
