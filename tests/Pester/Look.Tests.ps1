BeforeDiscovery {
    . $PSScriptRoot/Common.ps1

    # What each cmdlet shows of the embedded agent's guest: the type of its objects, and the first row of its table.
    $looks = @(
        @{ Noun = 'QemuGuest'; Type = 'GuestSummary'; Row = 'vm1 +Debian( GNU/Linu)? +0\.25, 0\.13, 0\.05 +18% 192\.0\.2\.10' }
        @{ Noun = 'QemuGuestNetworkInterface'; Type = 'NetworkInterface'; Row = 'vm1 +lo +[0:]{17} 127\.0\.0\.1/8, ::1/128' }
        @{ Noun = 'QemuGuestNetworkRoute'; Type = 'NetworkRoute'; Row = 'vm1 +eth0 +0\.0\.0\.0/0 +0 192\.0\.2\.1' }
        @{ Noun = 'QemuGuestFileSystem'; Type = 'FileSystem'; Row = 'vm1 +/ +ext4 +1 GiB +1\d\d B +1024 MiB +0\.0' }
        @{ Noun = 'QemuGuestDisk'; Type = 'Disk'; Row = 'vm1 +/dev/vda1 +True +/dev/vda' }
        @{ Noun = 'QemuGuestDiskStatistic'; Type = 'DiskStatistic'; Row = 'vm1 +vda +64 MiB +32 MiB +8192 +4096 +8\.2' }
        @{ Noun = 'QemuGuestProcessor'; Type = 'Processor'; Row = 'vm1 +0 True +False' }
        @{ Noun = 'QemuGuestProcessorStatistic'; Type = 'ProcessorStatistic'; Row = 'vm1 +0 +27\.8 +702\.6 +147\.2' }
        @{ Noun = 'QemuGuestMemoryBlock'; Type = 'MemoryBlock'; Row = 'vm1 +0 True +False +128 MiB' }
        @{ Noun = 'QemuGuestUser'; Type = 'User'; Row = 'vm1 +root +2026-01-01 00:00:00Z' }
        @{ Noun = 'QemuGuestTime'; Type = 'Time'; Row = 'vm1 +[\d-]{10} [\d:]{8}Z +[+-]?\d+\.\d{3} s +\d+\.\d ms UTC' }
        @{ Noun = 'QemuGuestLoad'; Type = 'Load'; Row = 'vm1 +0\.25 +0\.1[23] +0\.05' }
        @{ Noun = 'QemuGuestDevice'; Type = 'Device'; Options = 'os=windows'; Row = 'vm1 +Red Hat .+ Adapter +[\d.]+ +1af4:1000' }
    )
}

BeforeAll {
    . $PSScriptRoot/Common.ps1

    # As a host sees it that got the object by Export-Clixml, Invoke-Command (depth 1) or a job.
    function Copy-Serialized($Objects, [int] $Depth) {
        $xml = [System.Management.Automation.PSSerializer]::Serialize(@($Objects), $Depth + 1)
        [System.Management.Automation.PSSerializer]::Deserialize($xml)
    }

    # The table as a terminal of 80 columns shows it, without the blank lines.
    function Get-Table($Objects) { ($Objects | Out-String -Width 80) -split '\r?\n' | Where-Object { $_ } }
}

Describe 'Get-<Noun>' -ForEach $looks {
    BeforeAll {
        $endpoint = "embedded:?$Options"
        $session = Connect-QemuGuestAgent $endpoint -Name vm1
        $found = @(& "Get-$Noun" $session)
    }
    AfterAll { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It 'writes objects that say what they are and which guest they came from' {
        $found | Should -Not -BeNullOrEmpty
        $found | ForEach-Object { $_.PSTypeNames[0] | Should -Be "QemuGuestAgent.$Type" }
        $found.PSGuestName | Sort-Object -Unique | Should -Be 'vm1'
        (Get-Command "Get-$Noun").OutputType[0].Name | Should -Be "QemuGuestAgent.$Type"
    }

    It 'takes many sessions, by position and by pipeline' {
        $many = Connect-QemuGuestAgent $endpoint, $endpoint, $endpoint -Name a, b, c
        foreach ($results in (& "Get-$Noun" $many), ($many | & "Get-$Noun" -ThrottleLimit 2)) {
            $results.PSGuestName | Sort-Object -Unique | Should -Be 'a', 'b', 'c'
            @($results) | Should -HaveCount (3 * $found.Count)
        }
    }

    It 'opens an endpoint for this once, by name and by property, and closes it' {
        $sessions = @(Get-QemuGuestAgent).Count
        (& "Get-$Noun" -Endpoint $endpoint).PSGuestName | Sort-Object -Unique | Should -Be 'embedded'
        @([pscustomobject]@{ Endpoint = $endpoint } | & "Get-$Noun") | Should -HaveCount $found.Count
        @(Get-QemuGuestAgent) | Should -HaveCount $sessions
    }

    It 'goes on where one of the guests fails' {
        $closed = Connect-QemuGuestAgent $endpoint -Name closed
        Disconnect-QemuGuestAgent $closed
        $results = $closed, $session | & "Get-$Noun" -ErrorVariable failed -ErrorAction SilentlyContinue
        @($results) | Should -HaveCount $found.Count
        @($failed) | Should -HaveCount 1
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'SessionClosed,*'
        $failed[0].TargetObject | Should -Be $closed
    }

    It 'has a table that fits 80 columns' {
        $table = Get-Table $found
        $table[2] | Should -Match "^$Row"
        $table | ForEach-Object { $_.TrimEnd().Length | Should -BeLessOrEqual 80 }
        Get-Table ($found | Format-Table) | Should -Be $table
    }

    It 'has the same table after Export-Clixml and back' {
        $path = Join-Path $TestDrive 'found.xml'
        $found | Export-Clixml $path
        $back = Import-Clixml $path
        $back[0].PSTypeNames[0] | Should -Be "Deserialized.QemuGuestAgent.$Type"
        Get-Table $back | Should -Be (Get-Table $found)
    }

    It 'has the same table after remoting, which goes one level deep' {
        Get-Table (Copy-Serialized $found 1) | Should -Be (Get-Table $found)
    }

    It 'has the same table under Constrained Language' {
        $constrained = [powershell]::Create()
        try {
            $null = $constrained.AddCommand('Import-Module').AddParameter('Name', $module).Invoke()
            $constrained.Runspace.SessionStateProxy.LanguageMode = 'ConstrainedLanguage'
            $constrained.Commands.Clear()
            $text = $constrained.AddCommand('Out-String').AddParameter('Width', 80).Invoke($found)
            ("$text" -split '\r?\n' | Where-Object { $_ }) | Should -Be (Get-Table $found)
        }
        finally {
            $constrained.Dispose()
        }
    }

    It 'is the same object in JSON' {
        $json = ConvertTo-Json @($found) -Depth 4 -WarningVariable warned | ConvertFrom-Json
        $warned | Should -BeNullOrEmpty
        @($json) | Should -HaveCount $found.Count
        $json[0].PSObject.Properties.Name | Sort-Object | Should -Be ($found[0].PSObject.Properties.Name | Sort-Object)
        $json[0].PSGuestName | Should -Be 'vm1'
    }

    It 'needs one command, the summary none, and says so where the agent may not use it' {
        $commands = (Invoke-QemuGuestAgentCommand $session guest-info).supported_commands.name -like 'guest-*get-*'
        $commands | Should -Not -BeNullOrEmpty
        $errors = @(foreach ($command in $commands) {
            $blocked = "embedded:?$Options&blocked=$command"
            & "Get-$Noun" -Endpoint $blocked -ErrorVariable refused -ErrorAction SilentlyContinue | Out-Null
            $refused
        })
        $errors | Should -HaveCount ([int]($Noun -ne 'QemuGuest'))
        foreach ($refused in $errors) {
            $refused.FullyQualifiedErrorId | Should -BeLike 'CommandDisabled,*'
            $refused.ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        }
    }
}

Describe 'Looking at guests' {
    BeforeAll {
        $all = Connect-QemuGuestAgent embedded:, embedded:, 'embedded:?os=windows' -Name web1, web2, win | Sort-Object Name
        $session, $null, $windows = $all
    }
    AfterAll { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It 'filters interfaces' {
        $found = Get-QemuGuestNetworkInterface -Session $all | Where-Object { $_.Addresses.IPAddress -contains '192.0.2.10' }
        $found.PSGuestName | Sort-Object | Should -Be 'web1', 'web2', 'win'
        (Get-QemuGuestNetworkInterface $all | Where-Object { $_.Statistics.BytesReceived -gt 100kb }).Count | Should -Be 6
    }

    It 'sorts file systems by how full they are' {
        $sorted = Get-QemuGuestFileSystem $all | Sort-Object PercentUsed -Descending
        $sorted[0..2].MountPoint | Sort-Object | Should -Be '/boot', '/boot', 'System Reserved'
        $sorted[0].PercentUsed | Should -Be 17.6
        ($sorted | Measure-Object Size -Sum).Sum | Should -Be (3 * (1gb + 499mb))
    }

    It 'takes wildcards: <Command> <Parameter> <Pattern>' -ForEach @(
        @{ Command = 'Get-QemuGuestNetworkInterface'; Parameter = 'Name'; Pattern = 'ETH*'; Count = 1 }
        @{ Command = 'Get-QemuGuestNetworkRoute'; Parameter = 'InterfaceName'; Pattern = 'eth?'; Count = 4 }
        @{ Command = 'Get-QemuGuestFileSystem'; Parameter = 'MountPoint'; Pattern = '/b*', '/nothing'; Count = 1 }
        @{ Command = 'Get-QemuGuestDisk'; Parameter = 'Name'; Pattern = '*vda[12]'; Count = 2 }
        @{ Command = 'Get-QemuGuestDiskStatistic'; Parameter = 'Name'; Pattern = 'vda', 'vda2'; Count = 2 }
        @{ Command = 'Get-QemuGuestUser'; Parameter = 'UserName'; Pattern = 'r*t'; Count = 1 }
        @{ Command = 'Get-QemuGuestProcessor'; Parameter = 'LogicalId'; Pattern = 1, 7; Count = 1 }
        @{ Command = 'Get-QemuGuestProcessorStatistic'; Parameter = 'LogicalId'; Pattern = 0; Count = 1 }
        @{ Command = 'Get-QemuGuestMemoryBlock'; Parameter = 'PhysicalIndex'; Pattern = 0, 7; Count = 2 }
    ) {
        $arguments = @{ $Parameter = $Pattern }
        @(& $Command $session @arguments) | Should -HaveCount $Count
        if ($Pattern -is [string]) {
            $arguments.$Parameter = 'nothing*'
            & $Command $session @arguments | Should -BeNullOrEmpty
        }
    }

    It 'takes wildcards of drivers' {
        (Get-QemuGuestDevice $windows -DriverName '*SCSI*').DeviceId | Should -Be 0x1001
    }

    It 'has numbers, durations and moments, also after Export-Clixml and back' {
        $path = Join-Path $TestDrive 'values.xml'
        foreach ($round in 1, 2) {
            $values = if ($round -eq 1) {
                [pscustomobject]@{
                    FileSystem = Get-QemuGuestFileSystem $session -MountPoint /
                    Disk = Get-QemuGuestDisk $session -Name /dev/vda
                    Counters = Get-QemuGuestDiskStatistic $session -Name vda
                    Times = Get-QemuGuestProcessorStatistic $session -LogicalId 0
                    Memory = Get-QemuGuestMemoryBlock $session -PhysicalIndex 7
                    User = Get-QemuGuestUser $session
                    Time = Get-QemuGuestTime $session
                }
            }
            else { $values | Export-Clixml $path -Depth 4; Import-Clixml $path }
            $values.FileSystem.Size | Should -BeOfType long
            $values.FileSystem.Disks[0].PciAddress | Should -Be '0000:00:04.0'
            $values.Disk.BusAddress.BusType | Should -Be 'virtio'
            $values.Counters.BytesRead | Should -BeOfType ulong
            $values.Counters.BusyTime | Should -Be ([timespan]::FromMilliseconds(8192))
            $values.Times.Idle | Should -BeOfType timespan
            $values.Memory.PhysicalIndex | Should -BeOfType ulong
            $values.Memory.Size | Should -Be 128mb
            $values.User.LoginTime | Should -Be ([datetime] '2026-01-01').AddMilliseconds(250)
            $values.User.LoginTime.Kind | Should -Be 'Utc'
            $values.Time.Time.Kind | Should -Be 'Utc'
            $values.Time.Offset | Should -BeOfType timespan
        }
    }

    It 'writes readable sizes from bytes to exbibytes, and nothing for an unknown one' {
        $sizes = $null, 0, 1023, 1024, 1536, 1mb, 1gb, 1tb, 1pb, [long]::MaxValue
        $objects = foreach ($size in $sizes) { [pscustomobject]@{ PSTypeName = 'QemuGuestAgent.MemoryBlock'; Size = $size } }
        $expected = '', '0 B', '1023 B', '1 KiB', '1.5 KiB', '1 MiB', '1 GiB', '1 TiB', '1 PiB', '8 EiB'
        $table = ($objects | Out-String -Width 80) -split '\r?\n'
        $table[3..12].Trim() | Should -Be $expected
    }

    It 'tells an agent without the command from one that may not use it' {
        { Get-QemuGuestDevice $session -ErrorAction Stop } | Should -Throw -ErrorId 'CommandNotFound,*'
        { Get-QemuGuestMemoryBlock $windows -ErrorAction Stop } | Should -Throw -ErrorId 'CommandNotFound,*'
        $blocked = Connect-QemuGuestAgent 'embedded:?blocked=guest-get-load'
        { Get-QemuGuestLoad $blocked -ErrorAction Stop } | Should -Throw -ErrorId 'CommandDisabled,*'
    }
}

Describe 'Get-QemuGuest, the summary' {
    AfterEach { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It 'has what one wants to know first' {
        $guest = Get-QemuGuest (Connect-QemuGuestAgent 'embedded:?host-name=web1.example.com' -Name web1)
        $guest.Name | Should -Be 'web1'
        $guest.HostName | Should -Be 'web1.example.com'
        $guest.OperatingSystem | Should -Be 'Debian GNU/Linux 13 (trixie)'
        $guest.Kernel | Should -Be '6.12.48+deb13-amd64'
        $guest.Architecture | Should -Be 'x86_64'
        $guest.AgentVersion | Should -Be '11.1.0'
        $guest.IPAddresses | Should -Be '192.0.2.10', '2001:db8::10'
        $guest.Load.OneMinute | Should -Be 0.25
        $guest.Users.UserName | Should -Be 'root'
        $guest.TimeOffset | Should -BeOfType timespan
        $guest.TimeZone.Name | Should -Be 'UTC'
        $guest.FileSystems.MountPoint | Should -Be '/', '/boot'
        $guest.PercentUsed | Should -Be 17.6
        ($guest | Format-List | Out-String) | Should -Match 'FileSystems +: \{/ 0%, /boot 17\.6%\}'
    }

    It 'leaves empty what the agent refuses' {
        $refused = 'osinfo', 'users', 'time', 'fsinfo', 'load' | ForEach-Object { "guest-get-$_" }
        $guest = Get-QemuGuest -Endpoint "embedded:?blocked=$($refused -join ',')" -ErrorVariable failed
        $failed | Should -BeNullOrEmpty
        $guest.HostName | Should -Be 'embedded'
        $guest.IPAddresses | Should -HaveCount 2
        foreach ($name in 'OperatingSystem', 'Kernel', 'Users', 'TimeOffset', 'FileSystems', 'PercentUsed', 'Load') {
            $guest.$name | Should -BeNullOrEmpty
        }
        (Get-Table $guest)[2] | Should -Match '^embedded +192\.0\.2\.10'
    }

    It 'is an error where the agent falls silent' {
        $session = Connect-QemuGuestAgent 'embedded:?silent=guest-get-fsinfo'
        $guest = Get-QemuGuest $session -TimeoutSeconds 0.5 -ErrorVariable failed -ErrorAction SilentlyContinue
        $guest | Should -BeNullOrEmpty
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'CommandTimedOut,*'
    }

    It 'asks a fleet at once' {
        $sessions = 1..100 | ForEach-Object { "embedded:look$($_)?host-name=host$_" } | Connect-QemuGuestAgent -ThrottleLimit 64
        $guests = $sessions | Get-QemuGuest -ThrottleLimit 64
        $guests | Should -HaveCount 100
        $guests | ForEach-Object { $_.HostName | Should -Be ($_.Name -replace 'look', 'host') }
    }
}

Describe 'A hostile guest' {
    It 'cannot touch the terminal' {
        $evil = [uri]::EscapeDataString("$([char] 27)[2J$([char] 7)`nevil")
        $guest = Get-QemuGuest -Endpoint "embedded:?host-name=$evil&version=$evil"
        $guest.HostName | Should -Be '\u001B[2J\u0007\u000Aevil'
        foreach ($text in ($guest | Format-List | Out-String), ($guest | Out-String), ($guest | ConvertTo-Json)) {
            $text -replace '\e\[[\d;]*m' | Should -Not -Match '[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]'
        }
    }
}

Describe 'What the real agent of <AgentName> tells' -ForEach $RealAgents @NeedsRealAgent {
    BeforeAll {
        $agent = Start-RealAgent $AgentPath
        $session = Connect-QemuGuestAgent $agent.Endpoint -Name vm1
        $known = (Invoke-QemuGuestAgentCommand $session guest-info).supported_commands.name
    }
    AfterAll {
        Disconnect-QemuGuestAgent $session
        Stop-RealAgent $agent
    }

    It 'Get-<Noun> gives objects with a table, or says that the agent is too old' -ForEach $looks {
        $found = @(& "Get-$Noun" $session -ErrorVariable failed -ErrorAction SilentlyContinue)
        if ($failed) {
            # The others are harmless and old enough for every agent of our day.
            $Type | Should -BeIn 'NetworkRoute', 'Load', 'Device'
            $failed[0].FullyQualifiedErrorId | Should -BeIn @(
                'CommandNotFound', 'CommandDisabled' | ForEach-Object { "$_,QemuGuestAgent.Commands.Get${Noun}Command" })
            return
        }

        if ($Type -ne 'User') { $found | Should -Not -BeNullOrEmpty }
        $found | ForEach-Object { $_.PSTypeNames[0] | Should -Be "QemuGuestAgent.$Type" }
        Get-Table $found | ForEach-Object { $_.TrimEnd().Length | Should -BeLessOrEqual 80 }
        Get-Table (Copy-Serialized $found 1) | Should -Be (Get-Table $found)
    }

    It 'is true' {
        $guest = Get-QemuGuest $session
        $guest.HostName | Should -Be ([Environment]::MachineName)
        $guest.Kernel | Should -Be (Get-Content /proc/sys/kernel/osrelease)
        (Get-Content /etc/os-release) -join "`n" | Should -Match ([regex]::Escape("PRETTY_NAME=`"$($guest.OperatingSystem)`""))
        [math]::Abs($guest.TimeOffset.TotalMinutes) | Should -BeLessThan 1
        $guest.IPAddresses | Should -Not -Contain '127.0.0.1'
        (Get-QemuGuestNetworkInterface $session).Name | Sort-Object |
            Should -Be ((Get-ChildItem /sys/class/net).Name | Sort-Object)
        (Get-QemuGuestProcessor $session | Where-Object Online).Count | Should -Be ([Environment]::ProcessorCount)
        $root = Get-QemuGuestFileSystem $session -MountPoint /
        if ($root) { $root.Size - $root.Used | Should -Be $root.Free }
    }
}
