BeforeDiscovery {
    # A sample of each kind of object that a cmdlet writes.
    $samples = @(
        @{ Type = 'AgentSession'; Command = { $vm } }
        @{ Type = 'AgentSyncResult'; Command = { Sync-QemuGuestAgent $vm } }
        @{ Type = 'AgentHealth'; Command = { Test-QemuGuestAgent $vm -Detailed } }
        @{ Type = 'AgentCommand'; Command = { Get-QemuGuestAgentCommand $vm -Name guest-file-open } }
        @{ Type = 'GuestSummary'; Command = { Get-QemuGuest $vm } }
        @{ Type = 'NetworkInterface'; Command = { Get-QemuGuestNetworkInterface $vm } }
        @{ Type = 'NetworkRoute'; Command = { Get-QemuGuestNetworkRoute $vm } }
        @{ Type = 'FileSystem'; Command = { Get-QemuGuestFileSystem $vm } }
        @{ Type = 'FileSystemTrim'; Command = { Optimize-QemuGuestFileSystem $vm } }
        @{ Type = 'Disk'; Command = { Get-QemuGuestDisk $vm } }
        @{ Type = 'DiskStatistic'; Command = { Get-QemuGuestDiskStatistic $vm } }
        @{ Type = 'Processor'; Command = { Get-QemuGuestProcessor $vm } }
        @{ Type = 'ProcessorStatistic'; Command = { Get-QemuGuestProcessorStatistic $vm } }
        @{ Type = 'MemoryBlock'; Command = { Get-QemuGuestMemoryBlock $vm } }
        @{ Type = 'User'; Command = { Get-QemuGuestUser $vm } }
        @{ Type = 'Time'; Command = { Get-QemuGuestTime $vm } }
        @{ Type = 'Load'; Command = { Get-QemuGuestLoad $vm } }
        @{ Type = 'Device'; Command = { Get-QemuGuestDevice $windows } }
        @{ Type = 'SshKey'; Command = { Get-QemuGuestSshKey $vm root } }
        @{ Type = 'AgentProcess'; Command = { Start-QemuGuestProcess $vm sleep 60 } }
        @{ Type = 'ProcessResult'; Command = { Invoke-QemuGuestProcess $vm echo hello } }
        @{ Type = 'ItemCopy'; Command = { Copy-QemuGuestItem $file /tmp/ -ToSession $vm -PassThru -Force -WarningAction Ignore } }
        @{ Type = 'AgentFreezeOutcome'; Command = { Use-QemuGuestFrozenFileSystem $windows { } -OutcomeVariable outcome -Confirm:$false; $outcome } }
    )
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $name = 'web1.production.eu.example.com'
    $vm, $windows = Connect-QemuGuestAgent (New-Endpoint), (New-Endpoint 'os=windows') -Name $name, "win.$name"
    Add-QemuGuestSshKey $vm root -Key "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID7RjvM4Bhf7EoONB73K3uMdnmKNYdhyZ7NpRdAO5hyl alice@$name"
    $file = Join-Path $TestDrive 'a-file-with-a-name-of-some-length.conf'
    Set-Content $file hello

    # The headings of a type's table.
    [xml] $views = Get-Content "$module/QemuGuestAgent.Format.ps1xml"
    function Get-Heading([string] $Type) {
        @($views.Configuration.ViewDefinitions.View | Where-Object Name -EQ "QemuGuestAgent.$Type").TableControl.TableHeaders.TableColumnHeader.Label
    }
}
AfterAll { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

Describe 'What is written as <Type>' -ForEach $samples {
    BeforeAll {
        $found = @(& $Command)
        $path = Join-Path $TestDrive 'found.xml'
        $found | Export-Clixml $path
        $back = @(Import-Clixml $path)
    }

    It 'has one view, of which nothing is cut at <_> columns' -ForEach 80, 120, 160 {
        $found[0].PSTypeNames[0] | Should -Be "QemuGuestAgent.$Type"
        $headings = Get-Heading $Type
        $headings | Should -Not -BeNullOrEmpty
        $lines = ($found | Out-String -Width $_) -split '\r?\n' | Where-Object { $_ }
        $lines | Where-Object { $_ -match [char]0x2026 } | Should -BeNullOrEmpty
        $lines | ForEach-Object { $_.TrimEnd().Length | Should -BeLessOrEqual ($lines[0].Length, $_.Length | Measure-Object -Maximum).Maximum }
        $lines[0].Trim() -split '\s+' | Should -Be $headings
    }

    It 'has properties that are called as the headings are, also after Export-Clixml and back' {
        foreach ($thing in $found[0], $back[0]) {
            foreach ($heading in Get-Heading $Type) {
                $thing.PSObject.Properties[$heading] | Should -Not -BeNullOrEmpty -Because $heading
            }
            if ((Get-Heading $Type) -contains 'Guest') {
                ($thing | Select-Object Guest).Guest | Should -BeLike "*$name"
                @($thing | Where-Object Guest -Like "*$name") | Should -HaveCount 1
                ($thing, $thing | Sort-Object Guest -Unique).PSGuestName | Should -BeLike "*$name"
            }
        }
    }

    It 'lists each value once' {
        $listed = @($found[0].PSObject.Properties.Name)
        $listed | Should -Not -Contain 'Guest'
        $listed | Should -Be ($listed | Select-Object -Unique)
    }

    It 'is a plain object' {
        ($found[0] | Get-Member).Name | Where-Object { $_ -match 'Clone|Deconstruct' } | Should -BeNullOrEmpty
        ($found | Format-List * | Out-String -Width 300) | Should -Not -Match '\w+ \{ \w+ = |QemuGuestAgent\.'
        "$($found[0])" | Should -Not -Match '^QemuGuestAgent\.|\w+ \{ \w+ = '
        foreach ($property in $found[0].PSObject.Properties | Where-Object { $_.Value -is [Collections.IEnumerable] -and $_.Value -isnot [string] }) {
            , $property.Value | Should -BeOfType array -Because $property.Name
        }
    }

    It 'is readable as CSV, and has no bytes as numbers in JSON' {
        # What crosses a remote session or a file keeps its bytes.
        foreach ($things in $found, @($back | Where-Object { $Type -ne 'ProcessResult' })) {
            ($things | ConvertTo-Csv | Select-Object -Skip 1) -join "`n" | Should -Not -Match 'System\.|QemuGuestAgent\.|\w+ \{ \w+ = |#TYPE'
        }
        $json = ConvertTo-Json $found[0] -Depth 4 -WarningVariable warned
        $warned | Should -BeNullOrEmpty
        $json | Should -Not -Match '(?m)^\s*\d+,?$'
    }
}

Describe 'Values of objects' {
    It 'writes the items of a list to CSV, and a list to JSON' {
        $guest = Get-QemuGuest $vm
        ($guest | ConvertTo-Csv | ConvertFrom-Csv).IPAddresses | Should -Be '192.0.2.10, 2001:db8::10'
        ($guest | ConvertTo-Json -Depth 3 | ConvertFrom-Json).IPAddresses | Should -Be '192.0.2.10', '2001:db8::10'
        , $guest.IPAddresses | Should -BeOfType ([string[]])
        $guest.IPAddresses[1] | Should -Be '2001:db8::10'
        ($guest.FileSystems | Where-Object MountPoint -EQ /boot).PercentUsed | Should -Be 17.6
    }

    It 'still has the bytes of a result, and Output is its standard output' {
        $result = Invoke-QemuGuestProcess $vm echo hi
        , $result.StandardOutputBytes | Should -BeOfType ([byte[]])
        $result.StandardOutputBytes | Should -Be 104, 105, 10
        $result.StandardErrorBytes | Should -HaveCount 0
        ($result | Select-Object Output).Output | Should -Be "hi`n"
        "$result" | Should -Be 'exit code 0'
    }

    It 'shows an exit code of Windows as it is known there' {
        $result = [pscustomobject] @{ PSTypeName = 'QemuGuestAgent.ProcessResult'; PSGuestName = 'win'; ExitCode = -1073741819; Signal = $null; StandardOutput = ''; StandardError = '' }
        $result | Out-String -Width 80 | Should -Match ' 0xC0000005 '
    }

    It 'shows the whole operating system and the whole name at 160 columns' {
        $text = Get-QemuGuest $vm | Out-String -Width 160
        $text | Should -Match 'Debian GNU/Linux 13 \(trixie\)'
        ((Connect-QemuGuestAgent (New-Endpoint) -Name $name) | Out-String -Width 160) | Should -Match ([regex]::Escape($name))
    }

    It 'tells why an agent is not ready without an exception in JSON' {
        $json = Test-QemuGuestAgent -Endpoint unix:/nothing/here -Detailed | ConvertTo-Json -WarningVariable warned | ConvertFrom-Json
        $warned | Should -BeNullOrEmpty
        $json.ErrorId | Should -Match '^Endpoint'
        $json.Reason | Should -Not -BeNullOrEmpty
    }
}
