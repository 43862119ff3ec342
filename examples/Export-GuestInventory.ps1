#requires -Version 5.1
#requires -Modules QemuGuestAgent

<#
.SYNOPSIS
Writes an inventory of the guests of this host to a CSV file, with one row for each, including those that do not answer.
.DESCRIPTION
Queries all guests at the same time, through their agents alone. A guest that does not answer gets a row with the error's id, so that the
file contains every virtual machine. The rows are also written as objects.
.PARAMETER Endpoint
The guests' channels, such as the sockets in /run/vm.
.PARAMETER Path
The CSV file; an existing file is overwritten.
.PARAMETER TimeoutSeconds
The time limit for each guest.
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
