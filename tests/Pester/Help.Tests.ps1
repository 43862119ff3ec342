BeforeDiscovery {
    . $PSScriptRoot/Common.ps1
    $cmdlets = (Get-Module QemuGuestAgent).ExportedCmdlets.Keys | Sort-Object | ForEach-Object { @{ Name = $_; Help = Get-Help $_ -Full } }
    $examples = $cmdlets | ForEach-Object {
        $number = 0
        foreach ($example in $_.Help.Examples.Example) { @{ Name = $_.Name; Number = ++$number; Code = $example.Code } }
    }
    # The others need a guest, or would wait for someone to type.
    $runnable = $examples | Where-Object { $_.Code -like '*embedded:*' }
}
BeforeAll { . $PSScriptRoot/Common.ps1 }

Describe 'Help of <Name>' -ForEach $cmdlets {
    It 'is not what PowerShell makes up' {
        # The engine's own has the syntax for a synopsis, and no description.
        $Help.Synopsis | Should -Not -BeLike "*$Name*"
        $Help.Synopsis | Should -Match '\w\.$'
        $Help.Description.Text | Should -Not -BeNullOrEmpty
        @($Help.Examples.Example).Count | Should -BeGreaterOrEqual 2
    }

    It 'tells of each parameter what the engine knows' {
        $command = Get-Command $Name
        $common = [System.Management.Automation.Cmdlet]::CommonParameters
        $known = $command.Parameters.Values | Where-Object Name -NotIn $common
        $Help.Parameters.Parameter.Name | Sort-Object | Should -Be ($known.Name | Sort-Object)
        foreach ($parameter in $Help.Parameters.Parameter) {
            $parameter.Description.Text | Should -Not -BeNullOrEmpty -Because $parameter.Name
            $aliases = if ($parameter.Aliases -ne 'none') { $parameter.Aliases -split ', ' }
            $aliases | Should -Be $command.Parameters[$parameter.Name].Aliases -Because $parameter.Name
        }
    }

    It 'has the syntax of each parameter set' {
        $sets = (Get-Command $Name).ParameterSets
        $shown = @($Help.Syntax.SyntaxItem)
        $shown | Should -HaveCount $sets.Count
        foreach ($set in $sets) {
            $inSet = $set.Parameters.Name | Where-Object { $_ -notin [System.Management.Automation.Cmdlet]::CommonParameters } | Sort-Object
            $shown.Where{ "$($_.Parameter.Name | Sort-Object)" -eq "$inSet" } | Should -Not -BeNullOrEmpty -Because $set.Name
        }
    }

    It 'says what <Name> takes and writes' {
        $Help.InputTypes.InputType.Type.Name | Should -Not -BeNullOrEmpty
        $Help.ReturnValues.ReturnValue.Type.Name | Should -Not -BeNullOrEmpty
    }
}

Describe 'Example <Number> of <Name>' -ForEach $examples {
    It 'parses, is about the cmdlet, and names parameters that exist' {
        $parsed = $null
        $ast = [System.Management.Automation.Language.Parser]::ParseInput($Code, [ref] $null, [ref] $parsed)
        $parsed | Should -BeNullOrEmpty
        $calls = $ast.FindAll({ $args[0] -is [System.Management.Automation.Language.CommandAst] }, $true) |
            Where-Object { $_.GetCommandName() -like '*-QemuGuest*' }
        $calls.ForEach{ $_.GetCommandName() } | Should -Contain $Name
        foreach ($call in $calls) {
            $parameters = (Get-Command $call.GetCommandName() -Module QemuGuestAgent).Parameters
            $call.CommandElements | Where-Object { $_ -is [System.Management.Automation.Language.CommandParameterAst] } | ForEach-Object {
                $parameters.Keys | Should -Contain $_.ParameterName -Because $call
            }
        }
    }
}

Describe 'Example <Number> of <Name>, run' -ForEach $runnable {
    AfterEach { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It 'works on the embedded agent' {
        & ([scriptblock]::Create("`$ErrorActionPreference = 'Stop'; `$ConfirmPreference = 'None'`n$Code")) *>&1 |
            Where-Object { $_ -is [System.Management.Automation.ErrorRecord] } | Should -BeNullOrEmpty
    }
}
