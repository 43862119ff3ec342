BeforeDiscovery {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/GuestScript.ps1
    $scripts = @(Get-GuestScript)
    $packages = if ($env:NUGET_PACKAGES) { $env:NUGET_PACKAGES } else { "$HOME/.nuget/packages" }
    $needsFramework = @{
        Skip = [Environment]::Version.Major -lt 9 -or -not (Test-Path "$packages/microsoft.netframework.referenceassemblies.net472")
        Tag = 'it needs PowerShell 7.5 and the packages of the build'
    }
}
BeforeAll {
    . $PSScriptRoot/GuestScript.ps1
    $scripts = @(Get-GuestScript)
    $functions = @($scripts | ForEach-Object { Get-FunctionName $_.Text })
}

Describe 'Scripts for guests' {
    It 'are all of them' {
        $scripts.Name | Should -HaveCount 12
        $functions | Should -Contain Emit
        $functions | Should -Contain New-Pipe
    }

    It 'are written in the language of Windows PowerShell 5.1: <Name>' -ForEach $scripts { Find-NewSyntax $Text | Should -BeNullOrEmpty }

    It 'use the commands of Windows PowerShell 5.1: <Name>' -ForEach $scripts { Find-OtherCommand $Text $functions | Should -BeNullOrEmpty }

    It 'with other syntax are found: <Text>' -ForEach @(
        '1 && 2', '1 || 2', '$a ? 1 : 2', '$a ?? $b', '$a ??= 1', '${a}?.B', '${a}?.B()', '${a}?[0]', 'function f { clean { } }', 'f &', '$IsWindows'
        '0b11', '1u', '"`u{41}"', "'a'`n| f", '[powershell]::Create().AddScript(''$a ?? $b'')', 'if (', "if (`$PSVersionTable.PSEdition -ne 'Core') { 1 && 2 }"
    ).ForEach({ @{ Text = $_ } }) { Find-NewSyntax $Text | Should -HaveCount 1 }

    It 'with other commands are found: <Text>' -ForEach @(
        'Get-Uptime', 'pwsh', '1 | ForEach-Object -Parallel { }', 'Select-Object -SkipLast 1', '& f'
    ).ForEach({ @{ Text = $_ } }) { Find-OtherCommand $Text 'g' | Should -HaveCount 1 }

    It 'may use what is new in a branch for it' {
        $text = "if (`$PSVersionTable.PSEdition -eq 'Core') { `$a ?? (Get-Uptime) } else { f }"
        Find-NewSyntax $text | Should -BeNullOrEmpty
        Find-OtherCommand $text 'f' | Should -BeNullOrEmpty
    }

    Context 'Members' @needsFramework {
        BeforeAll {
            $framework = Get-FrameworkMember
            # What the host sends to the bootstrap.
            $names = @($scripts | ForEach-Object { Get-KeyName $_.Text }) + 'Token', 'Script', 'Arguments', 'Input', 'Variables', 'QemuGuestAgentSecret', 'UserName'
        }
        AfterAll { $framework.Context.Dispose() }

        It 'are of .NET Framework: <Name>' -ForEach $scripts { Find-OtherMember $framework $Text $names | Should -BeNullOrEmpty }

        It 'of others are found: <Text>' -ForEach @(
            '[IO.Path]::Join(1, 2)', '[IO.File]::Move(1, 2, $true)', '[Environment]::ProcessId', '[IO.FileStream]::new(1, 2, 3, 4, 5, 6, 7, 8)'
            '[semver] $a', '[Collections.Generic.PriorityQueue[int, string]] $a', '[IO.Pipes.NamedPipeServerStreamAcl]::Create', 'New-Object IO.FileStreamOptions'
            'New-Object Random 1, 2', '[Collections.Generic.List[semver]] $a', 'try { 1 } catch [Text.Json.JsonException] { 2 }'
            '[IO.FileStream]::new($a, ''Open'', ''Write'', ''Read'', 1, [IO.FileOptions]::None)', 'New-Object IO.Compression.GZipStream $a, ''Decompress'''
            '$process.Kill($true)', '$file.ResolveLinkTarget($true)', '$file.LinkTarget', '[powershell]::Create().AddScript(''[IO.Path]::Join(1, 2)'')'
        ).ForEach({ @{ Text = $_ } }) { Find-OtherMember $framework $Text @() | Should -HaveCount 1 }

        It 'may be others in a branch for them' {
            Find-OtherMember $framework "if (`$PSVersionTable.PSEdition -eq 'Core') { [IO.Path]::Join(1, 2) } else { [IO.Path]::Combine(1, 2) }" @() | Should -BeNullOrEmpty
            Find-OtherMember $framework "if (`$a.psobject.Properties['NoSuchMember']) { `$a.NoSuchMember = 1 }" @() | Should -BeNullOrEmpty
        }
    }
}
