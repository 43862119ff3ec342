BeforeDiscovery { . $PSScriptRoot/Common.ps1 }
BeforeAll {
    . $PSScriptRoot/Common.ps1

    $alice = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID7RjvM4Bhf7EoONB73K3uMdnmKNYdhyZ7NpRdAO5hyl alice@host'
    $bob = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID7RjvM4Bhf7EoONB73K3uMdnmKNYdhyZ7NpRdAO5hym bob@host'
    $carol = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID7RjvM4Bhf7EoONB73K3uMdnmKNYdhyZ7NpRdAO5hyn carol@host'

    # The keys of guests, as guest=comment.
    function Get-Comment([Parameter(Mandatory)] $Session) {
        $Session | Get-QemuGuestSshKey -UserName root | ForEach-Object { "$($_.PSGuestName)=$($_.Comment -replace '@host')" } | Sort-Object
    }
    function New-Credential([string] $Text, [string] $UserName = 'root') {
        $secret = [securestring]::new()
        $Text.ToCharArray() | ForEach-Object { $secret.AppendChar($_) }
        [pscredential]::new($UserName, $secret)
    }
}
AfterAll { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

Describe 'Set-QemuGuestTime' {
    BeforeEach { $session = Connect-QemuGuestAgent embedded: -Name vm1 }

    It 'sets a time: <Name>' -ForEach @(
        @{ Name = 'UTC'; Time = ([datetime]'2030-01-02T03:04:05Z').ToUniversalTime() }
        @{ Name = 'local'; Time = ([datetime]'2030-01-02T03:04:05Z').ToLocalTime() }
    ) {
        Set-QemuGuestTime $session $Time | Should -BeNullOrEmpty
        (Get-QemuGuestTime $session).Time.ToString('yyyy-MM-dd HH:mm') | Should -Be '2030-01-02 03:04'
    }

    It 'sets it back from the RTC without a time' {
        Set-QemuGuestTime $session ([datetime]'2030-01-02T03:04:05Z')
        Set-QemuGuestTime $session
        (Get-QemuGuestTime $session).Offset.Duration() | Should -BeLessThan ([timespan]::FromHours(1))
    }

    It 'says what it does, and does nothing with -WhatIf' {
        $text = Set-QemuGuestTime $session ([datetime]'2030-01-02T03:04:05Z') -Verbose 4>&1
        "$text" | Should -BeLike '*"Set the clock to 2030-01-02 03:04:05Z"*"vm1"*'
        Set-QemuGuestTime $session ([datetime]'2040-01-02T03:04:05Z') -WhatIf
        (Get-QemuGuestTime $session).Time.Year | Should -Be 2030
    }

    It 'refuses what has no nanoseconds' {
        { Set-QemuGuestTime $session ([datetime]'2300-01-01') -ErrorAction Stop } | Should -Throw -ErrorId 'TimeOutOfRange,*'
    }
}

Describe 'Set-QemuGuestUserPassword' {
    BeforeAll { $session = Connect-QemuGuestAgent embedded: -Name vm1 }

    It 'sends what the credential has, hidden from the trace' {
        $records = & {
            $DebugPreference = 'Continue'
            Set-QemuGuestUserPassword $session (New-Credential 'p ä') 5>&1
        }
        "$records" | Should -BeLike '*"username":"root","password":"`*`*`*","crypted":false*{"return":{}*'
    }

    It 'sends a hash as such' {
        $records = & {
            $DebugPreference = 'Continue'
            Set-QemuGuestUserPassword $session (New-Credential '$6$a$b') -Crypted 5>&1
        }
        "$records" | Should -BeLike '*"crypted":true*'
    }

    It 'sends a Windows guest no hash, and passwords of local accounts only' {
        $windows = Connect-QemuGuestAgent (New-Endpoint 'os=windows')
        { Set-QemuGuestUserPassword $windows (New-Credential '$6$a$b') -Crypted -ErrorAction Stop } | Should -Throw -ErrorId 'PasswordHashRefused,*'
        $domain = [pscredential]::new('CORP\Administrator', (New-Credential secret).Password)
        { Set-QemuGuestUserPassword $windows $domain -ErrorAction Stop } | Should -Throw -ErrorId 'AccountNotLocal,*'
        Set-QemuGuestUserPassword $windows ([pscredential]::new('.\Administrator', $domain.Password)) -ErrorAction Stop
        Disconnect-QemuGuestAgent $windows
    }

    It 'refuses <Name>' -ForEach @(
        @{ Name = 'a line feed'; Text = "a`nb" }
        @{ Name = 'a NUL'; Text = "a$([char]0)b" }
    ) {
        { Set-QemuGuestUserPassword $session (New-Credential $Text) } | Should -Throw -ErrorId 'PasswordInvalid,*'
    }

    It 'says what the guest says' {
        Set-QemuGuestUserPassword $session (New-Credential x nobody) -ErrorVariable failed -ErrorAction SilentlyContinue
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'AgentError,*'
        $failed[0].TargetObject | Should -Be $session
    }

    It 'has no parameter that takes a secret as text' {
        (Get-Command Set-QemuGuestUserPassword).Parameters.Values | Where-Object { $_.Name -match 'Password|Secret|Hash' } | Should -BeNullOrEmpty
        (Get-Command Set-QemuGuestUserPassword).Parameters.Credential.ParameterType | Should -Be ([pscredential])
    }
}

Describe 'Set-QemuGuestProcessor and Set-QemuGuestMemoryBlock' {
    BeforeEach { $session = Connect-QemuGuestAgent embedded: -Name vm1 }

    It 'switches processors by number' {
        Set-QemuGuestProcessor $session 1 -State Offline | Should -BeNullOrEmpty
        (Get-QemuGuestProcessor $session | Where-Object Online -EQ $false).LogicalId | Should -Be 1
        Set-QemuGuestProcessor -Session $session -LogicalId 1 -State Online
        (Get-QemuGuestProcessor $session).Online | Should -Be $true, $true
    }

    It 'takes them from the Get cmdlet, of many guests, each with one request' {
        $other = Connect-QemuGuestAgent embedded: -Name vm2
        $verbose = Get-QemuGuestMemoryBlock $session, $other | Where-Object PhysicalIndex -GE 6 | Set-QemuGuestMemoryBlock -State Offline -Verbose 4>&1
        $verbose -like 'Sending*' | Should -HaveCount 2
        $verbose -like '*"Take memory blocks 6, 7 offline"*' | Should -HaveCount 2
        Get-QemuGuestMemoryBlock $session, $other | Where-Object Online -EQ $false | ForEach-Object { "$($_.PSGuestName)-$($_.PhysicalIndex)" } |
            Sort-Object | Should -Be 'vm1-6', 'vm1-7', 'vm2-6', 'vm2-7'
    }

    It 'takes their numbers from objects that were kept in a file' {
        $path = Join-Path $TestDrive 'processors.xml'
        Get-QemuGuestProcessor $session | Where-Object CanOffline | Export-Clixml $path
        Import-Clixml $path | Set-QemuGuestProcessor -Session $session -State Offline
        (Get-QemuGuestProcessor $session).Online | Should -Be $true, $false
    }

    It 'switches the others where one cannot be, and says which and why' {
        Set-QemuGuestProcessor $session 0, 1, 9 -State Offline -ErrorVariable failed -ErrorAction SilentlyContinue
        (Get-QemuGuestProcessor $session).Online | Should -Be $true, $false
        $failed.Exception.Target | Should -Be 0, 9
        "$($failed[0])" | Should -BeLike "*processor #0 can't be offlined*"

        Set-QemuGuestMemoryBlock $session 0, 3, 99 -State Offline -ErrorVariable failed -ErrorAction SilentlyContinue
        $failed.FullyQualifiedErrorId | Should -BeLike 'MemoryBlockUnchanged,*'
        $failed.Exception.Target | Should -Be 0, 99
        (Get-QemuGuestMemoryBlock $session -PhysicalIndex 3).Online | Should -BeFalse
    }

    It 'does nothing with -WhatIf' {
        Set-QemuGuestProcessor $session 1 -State Offline -WhatIf
        (Get-QemuGuestProcessor $session).Online | Should -Be $true, $true
    }

    It 'works on an endpoint' {
        Set-QemuGuestProcessor -Endpoint embedded:switched -LogicalId 1 -State Offline
        (Get-QemuGuestProcessor -Endpoint embedded:switched).Online | Should -Be $true, $false
    }
}

Describe 'Get-, Add- and Remove-QemuGuestSshKey' {
    BeforeEach {
        $vm1 = Connect-QemuGuestAgent embedded: -Name vm1
        $vm2 = Connect-QemuGuestAgent embedded: -Name vm2
        Add-QemuGuestSshKey $vm1, $vm2 root $alice
    }

    It 'shows a key taken apart' {
        $key = Get-QemuGuestSshKey $vm1 root
        $key.Key | Should -BeExactly $alice
        $key.Type | Should -Be 'ssh-ed25519'
        $key.Fingerprint | Should -Be 'SHA256:OVRR1xaKIIdW3Bh96EIf6uusSyLuapfKllsaa/F/GXE'
        ($key | Out-String -Width 80) -split "`n" | Where-Object Length -GT 80 | Should -BeNullOrEmpty
        ($key | Format-Table | Out-String) | Should -Match 'vm1\s+root\s+ssh-ed25519\s+SHA256:OVRR'
    }

    It 'adds <Name>' -ForEach @(
        @{ Name = 'by parameter'; Do = { Add-QemuGuestSshKey $vm1, $vm2 root $bob } }
        @{ Name = 'text from the pipeline'; Do = { $bob | Add-QemuGuestSshKey $vm1, $vm2 root } }
        @{ Name = 'the lines of a file from the pipeline'; Do = { Get-Content -LiteralPath $file | Add-QemuGuestSshKey $vm1, $vm2 root } }
        @{ Name = 'a file'; Do = { Add-QemuGuestSshKey $vm1, $vm2 root -Path (Join-Path $TestDrive '*.pub') } }
        @{ Name = 'a file without wildcards'; Do = { Add-QemuGuestSshKey $vm1, $vm2 root -LiteralPath $file } }
        @{ Name = 'a file from the pipeline'; Do = { Get-Item -LiteralPath $file | Add-QemuGuestSshKey $vm1, $vm2 root } }
        @{ Name = 'a file, with the sessions from the pipeline'; Do = { $vm1, $vm2 | Add-QemuGuestSshKey -UserName root -LiteralPath $file } }
        @{ Name = 'twice the same'; Do = { $bob, $bob | Add-QemuGuestSshKey $vm1, $vm2 root; Add-QemuGuestSshKey $vm1, $vm2 root $bob } }
    ) {
        $file = Join-Path $TestDrive 'id[1].pub'
        Set-Content -LiteralPath $file '# mine', '', $bob
        & $Do
        Get-Comment $vm1, $vm2 | Should -Be 'vm1=alice', 'vm1=bob', 'vm2=alice', 'vm2=bob'
    }

    It 'takes all others away with -Reset' {
        $bob, $carol | Add-QemuGuestSshKey $vm1 root -Reset
        Get-Comment $vm1, $vm2 | Should -Be 'vm1=bob', 'vm1=carol', 'vm2=alice'
    }

    It 'copies the keys of one guest to another' {
        Add-QemuGuestSshKey $vm1 root $bob
        Get-QemuGuestSshKey $vm1 root | Add-QemuGuestSshKey -Session $vm2
        Get-Comment $vm2 | Should -Be 'vm2=alice', 'vm2=bob'
    }

    It 'does not lock a user out: <Name> sends nothing' -ForEach @(
        @{ Name = 'an empty pipeline'; ErrorId = 'SshKeyMissing'; Do = { @() | Add-QemuGuestSshKey $vm1 root -Reset -ErrorAction Stop } }
        @{ Name = 'no key'; ErrorId = 'SshKeyMissing'; Do = { $vm1 | Add-QemuGuestSshKey -UserName root -Reset -ErrorAction Stop } }
        @{ Name = 'a wildcard that finds nothing'; ErrorId = 'SshKeyMissing'; Do = { Add-QemuGuestSshKey $vm1 root -Path $TestDrive/nope*.pub -Reset -ErrorAction Stop } }
        @{ Name = 'a file that is not there'; ErrorId = 'FileNotReadable'; Do = { Add-QemuGuestSshKey $vm1 root -LiteralPath $TestDrive/nope.pub -Reset } }
        @{ Name = 'what is no file'; ErrorId = 'FileNotReadable'; Do = { Add-QemuGuestSshKey $vm1 root -LiteralPath function:prompt -Reset } }
        @{ Name = 'a private key behind a good one'; ErrorId = 'SshKeyInvalid'; Do = { $bob, '-----BEGIN OPENSSH PRIVATE KEY-----' | Add-QemuGuestSshKey $vm1 root -Reset } }
    ) {
        $Do | Should -Throw -ErrorId "$ErrorId,*"
        Get-Comment $vm1 | Should -Be 'vm1=alice'
    }

    It 'removes what the Get cmdlet found, in each guest' {
        Add-QemuGuestSshKey $vm2 root $bob
        Get-QemuGuestSshKey $vm1, $vm2 root | Where-Object Comment -Like 'alice*' | Remove-QemuGuestSshKey
        Get-Comment $vm1, $vm2 | Should -Be 'vm2=bob'
    }

    It 'removes by key, from the pipeline and from a file' {
        $bob, $carol | Add-QemuGuestSshKey $vm1 root
        Remove-QemuGuestSshKey $vm1 root $alice
        $bob | Remove-QemuGuestSshKey $vm1 root
        Get-Comment $vm1 | Should -Be 'vm1=carol'
        Set-Content "$TestDrive/carol.pub" $carol
        Remove-QemuGuestSshKey $vm1 root -Path "$TestDrive/carol.pub"
        Get-QemuGuestSshKey $vm1 root | Should -BeNullOrEmpty
    }

    It 'does nothing with -WhatIf' {
        Get-QemuGuestSshKey $vm1 root | Remove-QemuGuestSshKey -WhatIf
        Add-QemuGuestSshKey $vm1 root $bob -WhatIf
        Get-Comment $vm1 | Should -Be 'vm1=alice'
    }
}

Describe 'Optimize-QemuGuestFileSystem' {
    BeforeAll { $session = Connect-QemuGuestAgent embedded: -Name vm1 }

    It 'writes an object for each mount point, in bytes' {
        $trimmed = Optimize-QemuGuestFileSystem $session
        $trimmed.MountPoint | Should -Be '/', '/boot'
        $trimmed[1].Trimmed | Should -Be 430964736
        $trimmed.PSGuestName | Should -Be 'vm1', 'vm1'
        ($trimmed | Format-Table | Out-String -Width 80) | Should -Match '/boot\s+411 MiB'
    }

    It 'makes an error of one that cannot be trimmed, with its mount point, and trims the others' {
        $trimmed = Optimize-QemuGuestFileSystem $session -Minimum 600MB -ErrorVariable failed -ErrorAction SilentlyContinue
        $trimmed.MountPoint | Should -Be '/'
        $failed.FullyQualifiedErrorId | Should -BeLike 'TrimFailed,*'
        $failed.Exception.Target | Should -Be '/boot'
    }

    It 'warns that -Minimum does not count in Windows, which tells no numbers' {
        $windows = Connect-QemuGuestAgent (New-Endpoint 'os=windows') -Name vm2
        $trimmed = Optimize-QemuGuestFileSystem $windows -Minimum 600MB -WarningVariable warned -WarningAction SilentlyContinue
        $trimmed.MountPoint | Should -Be 'C:\'
        $trimmed.Trimmed | Should -BeNullOrEmpty
        "$warned" | Should -BeLike 'vm2: -Minimum *'
        $null = Optimize-QemuGuestFileSystem $windows -WarningVariable warned
        $warned | Should -BeNullOrEmpty
        Disconnect-QemuGuestAgent $windows
    }

    It 'has time, and shows progress while it takes long' {
        $shell = [powershell]::Create()
        $null = $shell.AddScript('param($module) Import-Module $module; Optimize-QemuGuestFileSystem -Endpoint "embedded:?slow=guest-fstrim:2500"').AddArgument($ModulePath)
        $shell.Invoke().Count | Should -Be 2
        $progress = $shell.Streams.Progress | Where-Object Activity -EQ 'Trimming file systems'
        $progress[0].StatusDescription | Should -Be 'Waiting for 1 of the guests'
        "$($progress[-1].RecordType)" | Should -Be 'Completed'
        $shell.Dispose()
        $own = [QemuGuestAgent.Commands.OptimizeQemuGuestFileSystemCommand]::new()
        $own.TimeoutSeconds | Should -BeGreaterOrEqual 3600
        $own.Dispose()
    }
}

Describe 'Get-QemuGuestAgentCommand' {
    BeforeAll { $session = Connect-QemuGuestAgent 'embedded:?blocked=guest-exec' -Name vm1 }

    It 'tells of each command, by name' {
        $commands = Get-QemuGuestAgentCommand $session
        $commands.Name | Should -Be ($commands.Name | Sort-Object)
        $commands | Where-Object { -not $_.IsKnown } | Should -BeNullOrEmpty
        ($commands | Where-Object Enabled -EQ $false).Name | Should -Be 'guest-exec'
        ($commands | Where-Object SuccessResponse -EQ $false).Name | Should -Be 'guest-shutdown', 'guest-suspend-disk', 'guest-suspend-hybrid', 'guest-suspend-ram'
    }

    It 'takes wildcards, and shows it in 80 columns' {
        $command = Get-QemuGuestAgentCommand $session -Name guest-file-o*
        $command.Since | Should -Be '0.15'
        $command.Arguments | ForEach-Object { "$_" } | Should -Be 'path: string', "[mode: string, as for C's fopen]"
        $command.Cmdlet | Should -Be 'Copy-QemuGuestItem'
        ($command | Out-String -Width 80) | Should -Match 'vm1\s+guest-file-open\s+True\s+0\.15\s+path, \[mode\]'
    }

    It 'asks anew' {
        $null = Invoke-QemuGuestAgentCommand $session guest-fsfreeze-freeze
        (Get-QemuGuestAgentCommand $session -Name guest-get-time).Enabled | Should -BeFalse
        $null = Invoke-QemuGuestAgentCommand $session guest-fsfreeze-thaw
        (Get-QemuGuestAgentCommand $session -Name guest-get-time).Enabled | Should -BeTrue
    }
}

Describe 'Completion from the schema' {
    BeforeAll {
        function Complete([string] $Line) { (TabExpansion2 $Line $Line.Length).CompletionMatches }
        $session = Connect-QemuGuestAgent 'embedded:?blocked=guest-exec'
    }

    It 'completes -Command to the whole schema where there is no session' {
        $all = 'linux', 'windows' | ForEach-Object { Get-QemuGuestAgentCommand -Endpoint "embedded:?os=$_" } | ForEach-Object Name | Sort-Object -Unique
        $shell = [powershell]::Create().AddScript('param($module) Import-Module $module
            $line = "Invoke-QemuGuestAgentCommand -Endpoint x -Command "; (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText').AddArgument($ModulePath)
        $completed = $shell.Invoke()
        $shell.Dispose()
        $completed | Should -Be $all
        $completed | Should -HaveCount 44
    }

    It 'tells what a command does, since when, and whether the guest allows it' {
        (Complete 'Invoke-QemuGuestAgentCommand $session guest-exec-').ToolTip | Should -Match '^Returns whether .*\. Since QEMU 2\.5\.$'
        (Complete 'Invoke-QemuGuestAgentCommand $session guest-exec')[0].ToolTip | Should -Match 'Disabled in the guest\.$'
    }

    It 'completes -Name of Get-QemuGuestAgentCommand' {
        (Complete 'Get-QemuGuestAgentCommand $session -Name guest-fst').CompletionText | Should -Be 'guest-fstrim'
    }

    It 'completes <Line> to <Text>' -ForEach @(
        @{ Line = 'Invoke-QemuGuestAgentCommand $session guest-file-open '; Text = '@{ path = }', '@{ path = ; mode = }' }
        @{ Line = 'Invoke-QemuGuestAgentCommand $session guest-set-vcpus @'; Text = '@{ vcpus = }' }
        @{ Line = '$session | Invoke-QemuGuestAgentCommand guest-file-write -Arguments '; Text = "@{ handle = ; 'buf-b64' = }", "@{ handle = ; 'buf-b64' = ; count = }" }
        @{ Line = 'Invoke-QemuGuestAgentCommand $session guest-shutdown '; Text = '@{ mode = }' }
        @{ Line = 'Invoke-QemuGuestAgentCommand $session guest-ping -Arguments '; Text = '@{}' }
    ) {
        (Complete $Line).CompletionText | Should -Be $Text
    }

    It 'names the types of the arguments' {
        (Complete 'Invoke-QemuGuestAgentCommand $session guest-set-user-password ').ToolTip |
            Should -Be 'guest-set-user-password: username: string, password: base64, crypted: bool'
    }

    It 'never throws: <_>' -ForEach 'guest-[', "'", '"guest-', '$(', '`' {
        $completer = [QemuGuestAgent.Completion.CommandCompleter]::new()
        { $completer.CompleteArgument('x', 'Command', $_, $null, @{}) } | Should -Not -Throw
        $completer = [QemuGuestAgent.Completion.CommandArgumentsCompleter]::new()
        { $completer.CompleteArgument('x', 'Arguments', $_, $null, @{ Command = $_ }) } | Should -Not -Throw
        { $completer.CompleteArgument('x', 'Arguments', $_, $null, @{}) } | Should -Not -Throw
    }
}

Describe 'What a guest refuses' {
    BeforeAll { $session = Connect-QemuGuestAgent 'embedded:?os=windows&blocked=guest-fstrim' -Name vm1 }

    It 'has three errors with three remedies' {
        $failed = @()
        Set-QemuGuestProcessor $session 1 -State Offline -ErrorVariable +failed -ErrorAction SilentlyContinue
        Optimize-QemuGuestFileSystem $session -ErrorVariable +failed -ErrorAction SilentlyContinue
        $null = Invoke-QemuGuestAgentCommand $session guest-fsfreeze-freeze
        Set-QemuGuestTime $session -ErrorVariable +failed -ErrorAction SilentlyContinue
        $null = Invoke-QemuGuestAgentCommand $session guest-fsfreeze-thaw
        $failed.FullyQualifiedErrorId -replace ',.*' | Should -Be 'CommandNotFound', 'CommandDisabled', 'GuestFrozen'
        $failed.ErrorDetails.RecommendedAction[0] | Should -BeLike '*newer qemu-guest-agent*'
        $failed.ErrorDetails.RecommendedAction[1] | Should -BeLike '*allow-rpcs*'
        $failed.ErrorDetails.RecommendedAction[2] | Should -BeLike '*Resume-QemuGuestFileSystem*'
        Set-QemuGuestTime $session -ErrorAction Stop
    }
}

Describe 'The real agent of <AgentName>' -ForEach $RealAgents @NeedsRealAgent {
    BeforeAll {
        $agent = Start-RealAgent $AgentPath
        $session = Connect-QemuGuestAgent $agent.Endpoint -Name real
    }
    AfterAll {
        Disconnect-QemuGuestAgent $session
        Stop-RealAgent $agent
    }

    It 'has only commands of the schema, the blocked ones disabled' {
        $commands = Get-QemuGuestAgentCommand $session
        $commands | Where-Object { -not $_.IsKnown } | Should -BeNullOrEmpty
        # An agent before 9.1 also lists as disabled what its platform lacks.
        $disabled = ($commands | Where-Object Enabled -EQ $false).Name
        $BlockedCommands -split ',' | Where-Object { $_ -notin $disabled } | Should -BeNullOrEmpty
        $disabled | Should -Not -Contain 'guest-ping'
    }

    It 'does not let <Name> through' -ForEach @(
        @{ Name = 'Set-QemuGuestTime'; Do = { Set-QemuGuestTime $session -ErrorAction Stop } }
        @{ Name = 'Set-QemuGuestUserPassword'; Do = { Set-QemuGuestUserPassword $session (New-Credential x) -ErrorAction Stop } }
        @{ Name = 'Set-QemuGuestProcessor'; Do = { Set-QemuGuestProcessor $session 0 -State Online -ErrorAction Stop } }
        @{ Name = 'Set-QemuGuestMemoryBlock'; Do = { Set-QemuGuestMemoryBlock $session 0 -State Online -ErrorAction Stop } }
        @{ Name = 'Add-QemuGuestSshKey'; Do = { Add-QemuGuestSshKey $session root $alice -ErrorAction Stop } }
        @{ Name = 'Remove-QemuGuestSshKey'; Do = { Remove-QemuGuestSshKey $session root $alice -ErrorAction Stop } }
        @{ Name = 'Optimize-QemuGuestFileSystem'; Do = { Optimize-QemuGuestFileSystem $session -ErrorAction Stop } }
    ) {
        $Do | Should -Throw -ErrorId 'CommandDisabled,*'
    }

    It 'gives the keys of a user' {
        $user = [Environment]::UserName
        $file = Join-Path $HOME '.ssh/authorized_keys'
        $lines = @(if (Test-Path $file) { Get-Content $file | Where-Object { $_.Trim() -and -not $_.StartsWith('#') } })
        @(Get-QemuGuestSshKey $session $user -ErrorAction Stop) | Should -HaveCount $lines.Count
    }

    It 'gives no keys of a user without a file of them, and an error for one who is not there' {
        $folder = (Get-Content /etc/passwd | Where-Object { $_ -like 'daemon:*' }).Split(':')[5]
        Test-Path "$folder/.ssh/authorized_keys" | Should -BeFalse -Because 'the test needs a user without one'
        Get-QemuGuestSshKey $session daemon -ErrorAction Stop | Should -BeNullOrEmpty
        { Get-QemuGuestSshKey $session no-such-user -ErrorAction Stop } | Should -Throw -ErrorId 'AgentError,*'
    }
}
