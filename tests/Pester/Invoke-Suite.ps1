#requires -Version 5.1
<#
.SYNOPSIS
Runs the Pester suite and writes one line of JSON for each test: Name, Result (Passed, Failed, Skipped, NotRun), Message.
.DESCRIPTION
The xunit project QemuGuestAgent.Module.Tests calls it, so that 'dotnet test' counts these tests with its own. Run by hand,
'Invoke-Pester tests/Pester' does as well.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)]
    [string] $ResultPath,

    # The module that runs it: its name, or where it is.
    [string] $Pester = 'Pester'
)

$ErrorActionPreference = 'Stop'
Import-Module $Pester -MinimumVersion 5.3

$configuration = New-PesterConfiguration
$configuration.Run.Path = $PSScriptRoot
$configuration.Run.PassThru = $true
$configuration.Output.Verbosity = 'Detailed'
$run = Invoke-Pester -Configuration $configuration

# What went wrong, and where in the tests: not the way there through Pester.
function Get-Failure($Records) {
    ($Records | ForEach-Object { $_.Exception.Message; $_.ScriptStackTrace -split '\r?\n' -like "*$PSScriptRoot*" -notlike '*Invoke-Suite*' }) -join "`n"
}

# Of what is skipped before it is run, the reason is the tag of the outermost that is.
function Get-Reason($Test) {
    $reason = $Test.Tag
    for ($block = $Test.Block; $block; $block = $block.Parent) { if ($block.Skip) { $reason = $block.Tag } }
    "$reason"
}

$lines = foreach ($test in $run.Tests) {
    [pscustomobject]@{
        Name = $test.ExpandedPath
        Result = "$($test.Result)"
        Message = if ($test.Skip) { Get-Reason $test } else { Get-Failure $test.ErrorRecord }
    } | ConvertTo-Json -Compress
}

# What fails outside a test (a file that does not parse, a BeforeAll) fails as a test of its own.
$lines = @($lines) + @(foreach ($container in @($run.FailedContainers) + @($run.FailedBlocks)) {
    [pscustomobject]@{
        Name = "$container"
        Result = 'Failed'
        Message = Get-Failure $container.ErrorRecord
    } | ConvertTo-Json -Compress
})
[IO.File]::WriteAllLines($ResultPath, [string[]] $lines)
