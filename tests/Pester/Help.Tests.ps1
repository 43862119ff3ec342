BeforeDiscovery {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Example.ps1
    $cmdlets = (Get-Module QemuGuestAgent).ExportedCmdlets.Keys | Sort-Object | ForEach-Object { @{ Name = $_; Help = Get-Help $_ -Full } }

    # As they are written: the blocks of code, each with the output that is written below it.
    $root = "$PSScriptRoot/../.."
    $documents = @(Get-ChildItem "$root/docs/en-US" -Filter *.md) + (Get-Item "$root/README.md")
    $abouts = $documents | Where-Object Name -Like about_* | ForEach-Object { @{ Name = $_.BaseName } }
    $examples = foreach ($document in $documents) {
        $number = 0
        $text = [IO.File]::ReadAllText($document.FullName) -replace '\r'
        foreach ($block in [regex]::Matches($text, '(?ms)^```powershell\n(?<code>.*?)\n```$(\s*^```output\n(?<output>.*?)\n```$)?')) {
            @{ Name = $document.BaseName; Number = ++$number; Code = $block.Groups['code'].Value; Output = $block.Groups['output'].Value }
        }
    }
    # Most need no more than an agent in this process.
    $notRun, $others = $examples.Where({ $_.Code -match 'libvirt|Enter-QemuGuest\b' }, 'Split')
    $needsHost = '/run/vm/|Find-QemuGuestAgent|Invoke-QemuGuestScript|New-QemuGuestPSSession|-HostName|ssh://|exec:|apt-get|/opt/|/var/l'
    $onHost, $embedded = $others.Where({ $_.Code -match $needsHost }, 'Split')
    $hosts = @{ Examples = $onHost; NotRun = $notRun; NoHost = Get-NoHostReason }
    foreach ($example in $onHost) { $example.Index = $onHost.IndexOf($example) }

    $cmdlets | ForEach-Object { $name = $_.Name; $_.Codes = @($examples.Where{ $_.Name -eq $name }.Code) }
}
BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Example.ps1
    function Get-Line([string] $Text) { $Text -split '\r?\n' -replace '\s+', ' ' -replace ' $' -ne '' }
}

Describe 'Help of <Name>' -ForEach $cmdlets {
    It 'is not what PowerShell makes up' {
        # The engine's own has the syntax for a synopsis, and no description.
        $Help.Synopsis | Should -Not -BeLike "*$Name*"
        $Help.Synopsis | Should -Match '\w\.$'
        $Help.Description.Text | Should -Not -BeNullOrEmpty
        @($Help.Examples.Example).Count | Should -BeGreaterOrEqual 2
        $Help.Examples.Example.Code | Should -Be $Codes
    }

    It 'is online where the project is' {
        $project = (Get-Module QemuGuestAgent).ProjectUri
        (Get-Command $Name).HelpUri | Should -Be $(if ($project) { "$project/blob/main/docs/en-US/$Name.md" } else { '' })
    }

    It 'tells of each parameter what the engine knows' {
        $command = Get-Command $Name
        $common = [System.Management.Automation.Cmdlet]::CommonParameters
        $known = $command.Parameters.Values | Where-Object { $_.Name -notin $common -and $_.Attributes.DontShow -notcontains $true }
        $Help.Parameters.Parameter.Name | Sort-Object | Should -Be ($known.Name | Sort-Object)
        foreach ($parameter in $Help.Parameters.Parameter) {
            $parameter.Description.Text | Should -Not -BeNullOrEmpty -Because $parameter.Name
            $aliases = if ($parameter.Aliases -ne 'none') { $parameter.Aliases -split ', ' }
            $aliases | Should -Be $command.Parameters[$parameter.Name].Aliases -Because $parameter.Name
        }
    }

    It 'tells the default of each parameter' {
        $new = [Activator]::CreateInstance((Get-Command $Name).ImplementingType)
        foreach ($parameter in $Help.Parameters.Parameter | Where-Object Name -NotIn Confirm, WhatIf) {
            $default = $new.($parameter.Name)
            $expected = if ($default -is [Text.Encoding]) { $default.WebName }
                elseif ($default -is [switch]) { 'False' }
                elseif ("$default" -and $default -ne [long]::MaxValue -and "$default" -ne $default.GetType().FullName) { $default -join ', ' }
                else { 'None' }
            $parameter.DefaultValue | Should -BeExactly $expected -Because $parameter.Name
        }
    }

    It 'names what else to read, which exists' {
        $links = @($Help.RelatedLinks.NavigationLink.LinkText | Where-Object { $_ -ne 'Online' })
        $links | Should -Contain 'about_QemuGuestAgent'
        $links | Should -Not -Contain $Name
        foreach ($link in $links) { @(Get-Help $link | Where-Object Name -EQ $link) | Should -HaveCount 1 -Because $link }
        (Get-Command "*-$($Name.Split('-')[1])" -Module QemuGuestAgent).Name | Where-Object { $_ -ne $Name } | ForEach-Object { $links | Should -Contain $_ }
    }

    It 'has the syntax of each parameter set' {
        $sets = (Get-Command $Name).ParameterSets
        $shown = @($Help.Syntax.SyntaxItem)
        $shown | Should -HaveCount $sets.Count
        foreach ($set in $sets) {
            $hidden = (Get-Command $Name).Parameters.Values | Where-Object { $_.Attributes.DontShow -contains $true }
            $inSet = $set.Parameters.Name | Where-Object { $_ -notin [System.Management.Automation.Cmdlet]::CommonParameters -and $_ -notin $hidden.Name } | Sort-Object
            $shown.Where{ "$($_.Parameter.Name | Sort-Object)" -eq "$inSet" } | Should -Not -BeNullOrEmpty -Because $set.Name
        }
    }

    It 'says what <Name> takes and writes' {
        $Help.InputTypes.InputType.Type.Name | Should -Not -BeNullOrEmpty
        $Help.ReturnValues.ReturnValue.Type.Name | Should -Not -BeNullOrEmpty
    }
}

Describe 'Help of <Name>, which has a time limit' -ForEach $cmdlets.Where{ (Get-Command $_.Name).Parameters.ContainsKey('TimeoutSeconds') } {
    It 'tells the limit that holds by default' {
        $seconds = [Activator]::CreateInstance((Get-Command $Name).ImplementingType).TimeoutSeconds
        $told = if ($seconds -eq 60) { $Help.Parameters.Parameter.Where{ $_.Name -eq 'TimeoutSeconds' }.Description.Text } else { $Help.Description.Text }
        $text = switch ($seconds) { 0 { 'without limit' } 3600 { 'an hour' } default { "\b$seconds (seconds|by default)" } }
        "$told" | Should -Match $text
    }
}

Describe 'The topic <Name>' -ForEach $abouts {
    It 'is found by Get-Help, with a synopsis' {
        $text = [IO.File]::ReadAllText("$module/en-US/$Name.help.txt")
        "$(Get-Help $Name)" -replace '\r' | Should -BeExactly ($text -replace '\r')
        (Get-Help about_QemuGuestAgent* | Where-Object Name -EQ $Name).Synopsis | Should -Match '^\w.*\.$'
        $text -split '\r?\n' -notmatch '^        ' | ForEach-Object Length | Measure-Object -Maximum | ForEach-Object Maximum | Should -BeLessOrEqual 80
    }
}

Describe 'Example <Number> of <Name>' -ForEach $examples {
    It 'parses, is about the cmdlet, and names parameters that exist' {
        $parsed = $null
        $ast = [System.Management.Automation.Language.Parser]::ParseInput($Code, [ref] $null, [ref] $parsed)
        $parsed | Should -BeNullOrEmpty
        $calls = $ast.FindAll({ $args[0] -is [System.Management.Automation.Language.CommandAst] }, $true) |
            Where-Object { $_.GetCommandName() -like '*-QemuGuest*' }
        if ($Name -like '*-*') { $calls.ForEach{ $_.GetCommandName() } | Should -Contain $Name }
        foreach ($call in $calls) {
            $parameters = (Get-Command $call.GetCommandName() -Module QemuGuestAgent).Parameters
            # After -- there are none.
            $call.CommandElements | Where-Object { $_ -is [System.Management.Automation.Language.CommandParameterAst] -and $_.ParameterName -ne '-' } | ForEach-Object {
                $parameters.Keys | Should -Contain $_.ParameterName -Because $call
            }
        }
    }
}

Describe 'Example <Number> of <Name>, run' -ForEach $embedded {
    It 'works on the embedded agent, and writes what it says' {
        if ($Code -match '\.sock' -and $NeedsUnixSockets.Skip) { Set-ItResult -Skipped -Because $NeedsUnixSockets.Tag }
        $result = Invoke-Example $Code @{ Endpoint = 'embedded:'; Name = 'web1' } "$TestDrive"
        $result.Failed | Should -BeExactly ''
        if ($Output) { Get-Line $result.Output | Should -BeExactly (Get-Line $Output) }
    }
}

Describe 'On a host with guests' -ForEach $hosts {
    BeforeAll {
        if (-not $NoHost) {
            $results = @(Invoke-OnHost {
                    foreach ($code in $args[0]) { Invoke-Example $code @{ Endpoint = '/run/vm/web1.sock', '/run/vm/db1.sock'; Name = 'web1', 'db1' } /srv }
                } $Examples.Code "$TestDrive")
        }
    }

    It 'example <Number> of <Name> works, and writes what it says' -ForEach $Examples {
        if ($NoHost) { Set-ItResult -Skipped -Because $NoHost }
        $results[$Index].Failed | Should -BeExactly ''
        if ($Output) { Get-Line $results[$Index].Output | Should -BeExactly (Get-Line $Output) }
    }

    It 'example <Number> of <Name> would work' -ForEach $NotRun {
        Set-ItResult -Skipped -Because $(if ($Code -match 'libvirt') { "it needs libvirt's daemon, with virtual machines" } else { 'it needs a terminal: Terminal.Tests.ps1 has one' })
    }
}
