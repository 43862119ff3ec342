#requires -Version 5.1
#requires -Modules QemuGuestAgent

<#
.SYNOPSIS
Writes what the guests of this host are to a CSV file, one row for each, those that do not answer too.
.DESCRIPTION
Asks all guests at the same time, over their agents alone. A guest that does not answer has a row with the error's id, so that the
file has every virtual machine in it. Writes the rows as objects, too.
.PARAMETER Endpoint
The guests' channels, such as the sockets in /run/vm.
.PARAMETER Path
The CSV file; it is written anew.
.PARAMETER TimeoutSeconds
The time for each guest.
.EXAMPLE
Find-QemuGuestAgent | ./Export-GuestInventory.ps1 -Path inventory.csv
.EXAMPLE
Get-ChildItem /var/run/qemu-server/*.qga | ./Export-GuestInventory.ps1 -Path inventory.csv
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
    [Alias('FullName')]
    [string[]] $Endpoint,

    [Parameter(Mandatory)]
    [string] $Path,

    [double] $TimeoutSeconds = 10
)

begin {
    $ErrorActionPreference = 'Stop'
    $endpoints = [Collections.Generic.List[string]]::new()
}
process { $endpoints.AddRange($Endpoint) }
end {
    $failed = @()
    $sessions = @(Connect-QemuGuestAgent $endpoints -TimeoutSeconds $TimeoutSeconds -ErrorAction SilentlyContinue -ErrorVariable +failed)
    try {
        $guests = @(if ($sessions) { $sessions | Get-QemuGuest -TimeoutSeconds $TimeoutSeconds -ErrorAction SilentlyContinue -ErrorVariable +failed })
    }
    finally { $sessions | Disconnect-QemuGuestAgent }

    $rows = @(foreach ($guest in $guests) {
            [pscustomobject]@{
                Guest = $guest.Name
                Status = 'OK'
                HostName = $guest.HostName
                OperatingSystem = $guest.OperatingSystem
                Kernel = $guest.Kernel
                AgentVersion = $guest.AgentVersion
                IPAddresses = $guest.IPAddresses -join ' '
                FullestPercent = $guest.PercentUsed
            }
        }
        foreach ($problem in $failed) {
            [pscustomobject]@{
                Guest = "$($problem.TargetObject)"
                Status = $problem.FullyQualifiedErrorId.Split(',')[0]
                HostName = $null; OperatingSystem = $null; Kernel = $null; AgentVersion = $null; IPAddresses = $null; FullestPercent = $null
            }
        }) | Sort-Object Guest
    $rows | Export-Csv -LiteralPath $Path -NoTypeInformation -Encoding UTF8
    $rows
}
