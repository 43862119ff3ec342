#requires -Version 5.1
#requires -Modules QemuGuestAgent

<#
.SYNOPSIS
Gives a user of each guest a new random password, and hands it to your vault.
.DESCRIPTION
Each guest gets a password of its own, which is never shown. It is handed to -Store before it is set ('Pending') and again once the
guest has taken it ('Current'): whatever breaks between, the password that holds is in the vault. Where a guest fails, its pending
password may hold or not, and the error says why; the others go on.
.PARAMETER Endpoint
The guests' channels.
.PARAMETER UserName
The user in the guests.
.PARAMETER Store
Puts a password away. It gets the guest's name, a credential, and 'Pending' or 'Current'; if it fails, the guest is left as it is.
.PARAMETER Length
How many characters: letters, digits, '-' and '_', six bits each.
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
    # 64 characters, so that each takes six bits of a random byte and none is likelier than another.
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
