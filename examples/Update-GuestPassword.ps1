#requires -Version 5.1
#requires -Modules QemuGuestAgent

<#
.SYNOPSIS
Sets a new random password for a user in each guest, and passes it to your vault.
.DESCRIPTION
Each guest gets its own password, which is never shown. It is passed to -Store before it is set ('Pending') and again once the
guest has accepted it ('Current'): whatever fails in between, the valid password is in the vault. If a guest fails, its pending
password may or may not be valid, and the error gives the reason; the others continue.
.PARAMETER Endpoint
The guests' channels.
.PARAMETER UserName
The user in the guests.
.PARAMETER Store
A script block that stores a password. It receives the guest's name, a credential, and 'Pending' or 'Current'; if it fails, the guest is left unchanged.
.PARAMETER Length
The number of characters: letters, digits, '-' and '_', six bits each.
.EXAMPLE
./Update-GuestPassword.ps1 (Get-ChildItem /run/vm/*.sock) -Store {
    param($Guest, $Credential, $State)
    Set-Secret -Vault Guests -Name "$Guest-$($Credential.UserName)-$State" -Secret $Credential
}
#>
[CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
param(
    [Parameter(Mandatory, Position = 0)]
    [string[]] $Endpoint,

    [string] $UserName = 'root',

    [Parameter(Mandatory)]
    [scriptblock] $Store,

    [ValidateRange(12, 128)]
    [int] $Length = 24
)

$ErrorActionPreference = 'Stop'

function New-Secret([int] $Count) {
    # 64 characters, so that each uses six bits of a random byte and all are equally likely.
    $alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    $bytes = [byte[]]::new($Count)
    $random = [Security.Cryptography.RandomNumberGenerator]::Create()
    $random.GetBytes($bytes)
    $random.Dispose()
    $secret = [securestring]::new()
    foreach ($byte in $bytes) { $secret.AppendChar($alphabet[$byte -band 63]) }
    $secret.MakeReadOnly()
    $secret
}

$sessions = @(Connect-QemuGuestAgent $Endpoint -ErrorAction Continue)
try {
    foreach ($session in $sessions) {
        if (-not $PSCmdlet.ShouldProcess($session.Name, "Give $UserName a new password")) { continue }
        $credential = [pscredential]::new($UserName, (New-Secret $Length))
        try {
            $null = & $Store $session.Name $credential 'Pending'
            Set-QemuGuestUserPassword $session $credential -Confirm:$false
            $null = & $Store $session.Name $credential 'Current'
            [pscustomobject]@{ Guest = $session.Name; UserName = $UserName; Changed = Get-Date }
        }
        catch { Write-Error -ErrorRecord $_ -ErrorAction Continue }
    }
}
finally { $sessions | Disconnect-QemuGuestAgent }
