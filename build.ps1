#requires -Version 5.1

<#
.SYNOPSIS
The project's tasks, each a few lines over dotnet.
.EXAMPLE
./build.ps1 Build
Builds everything and lays the module out in out/QemuGuestAgent: Import-Module ./out/QemuGuestAgent.
.EXAMPLE
./build.ps1 Test
Runs all tests, Pester's included; with -Vm those in a virtual machine too.
.EXAMPLE
./build.ps1 Pack
Makes out/QemuGuestAgent.<version>.nupkg, which Publish-PSResource -NupkgPath takes.
.EXAMPLE
./build.ps1 Bench
Measures, beside a baseline each, on an agent of this machine: a table, in about four minutes.
.EXAMPLE
./build.ps1 Soak
Asks, connects and bends agents without end, each answer compared with the right one: a table, in some minutes.
.EXAMPLE
./build.ps1 Demo unix:/run/vm1.sock
Connects, synchronises and invokes; on the embedded agent where no endpoint is given.
#>
[CmdletBinding()]
param(
    [Parameter(Position = 0)]
    [ValidateSet('Build', 'Test', 'Pack', 'Demo', 'Bench', 'Soak')]
    [string] $Task = 'Build',

    # Where Demo connects to.
    [Parameter(Position = 1)]
    [string] $Endpoint = 'embedded:',

    [ValidateSet('Debug', 'Release')]
    [string] $Configuration = 'Release',

    # Runs the tests in a virtual machine too, after making what it boots from: on Linux, x86-64, with Debian's packages.
    [switch] $Vm
)

$ErrorActionPreference = 'Stop'
Push-Location $PSScriptRoot
try {
    switch ($Task) {
        'Build' { dotnet build --configuration $Configuration }
        'Test' {
            $environment = @()
            if ($Vm) {
                $image = tests/tools/vm-image.sh out/vm
                if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
                $environment = '--environment', "QEMU_GA_VM_IMAGE=$image"
            }
            dotnet test --configuration $Configuration @environment
        }
        'Pack' { dotnet pack src/QemuGuestAgent --configuration $Configuration }
        'Bench' { dotnet run --project benchmarks --configuration Release }
        'Soak' { dotnet run --project tests/QemuGuestAgent.Soak --configuration Release }
        'Demo' { dotnet run --project samples/Quickstart --configuration $Configuration -- $Endpoint }
    }
    exit $LASTEXITCODE
}
finally {
    Pop-Location
}
