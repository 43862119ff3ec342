BeforeDiscovery { . $PSScriptRoot/Common.ps1 }
BeforeAll { . $PSScriptRoot/Common.ps1 }

Describe 'Guests by name' {
    BeforeAll {
        $names = 1..3 | ForEach-Object { "n$_-$([guid]::NewGuid().ToString('N').Substring(0, 8))" }
        $sessions = Connect-QemuGuestAgent ($names | ForEach-Object { "embedded:$_" }) -Name $names
    }
    AfterAll { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It 'takes the name of a session for the session: <_>' -ForEach @(
        'Get-QemuGuest $names[0]'
        'Get-QemuGuest -Session $names[0]'
        'Get-QemuGuest -Endpoint $names[0]'
        '$names[0] | Get-QemuGuest'
        'Invoke-QemuGuestAgentCommand $names[0] guest-get-osinfo'
        'Invoke-QemuGuestAgentCommand -Session $names[0] guest-get-osinfo'
        '$names[0] | Invoke-QemuGuestAgentCommand guest-get-osinfo'
        'Invoke-QemuGuestProcess $names[0] echo a'
        'Sync-QemuGuestAgent $names[0]'
        'Wait-QemuGuestAgent $names[0] | Get-QemuGuest'
        'Test-QemuGuestAgent $names[0]'
        '[pscustomobject]@{ Name = $names[0]; State = "Running" } | Get-QemuGuest'
        '[pscustomobject]@{ VMName = $names[0]; Name = "x" } | Get-QemuGuest'
        '[pscustomobject]@{ PSGuestName = $names[0] } | Get-QemuGuest'
        'Get-QemuGuestDisk $names[0] | Get-QemuGuest | Select-Object -First 1'
    ) {
        (& ([scriptblock]::Create($_))).PSGuestName | Should -Be $names[0]
    }

    It 'takes the endpoint of an object before its name' {
        ([pscustomobject]@{ Endpoint = 'embedded:other'; Name = $names[0] } | Get-QemuGuest).PSGuestName | Should -Be 'other'
    }

    It 'takes wildcards' {
        (Get-QemuGuest "n?-*").PSGuestName | Sort-Object | Should -Be $names
        Get-QemuGuest 'no-such-guest*' | Should -BeNullOrEmpty
    }

    It 'names what it does not find, and does the rest' {
        (Get-QemuGuest $names[0], 'nosuch', $names[1] -ErrorVariable failed -ErrorAction SilentlyContinue).PSGuestName | Sort-Object | Should -Be $names[0, 1]
        $failed | Should -HaveCount 1
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'GuestNotFound,*'
        "$($failed[0])" | Should -BeLike "*'nosuch'*"
        $failed[0].TargetObject | Should -Be 'nosuch'
        { Sync-QemuGuestAgent nosuch -ErrorAction Stop } | Should -Throw -ErrorId 'SessionNotFound,*'
        { Connect-QemuGuestAgent nosuch -ErrorAction Stop } | Should -Throw -ErrorId 'GuestNotFound,*'
    }

    It 'waits for one that is not there yet as long as it may' {
        { Wait-QemuGuestAgent nosuch -TimeoutSeconds 1 -ErrorAction Stop } | Should -Throw -ErrorId 'GuestNotFound,*'
    }

    It 'closes by name' {
        $other = Connect-QemuGuestAgent (New-Endpoint) -Name byname
        Disconnect-QemuGuestAgent byname
        $other.State | Should -Be 'Closed'
        { Disconnect-QemuGuestAgent byname -ErrorAction Stop } | Should -Throw -ErrorId 'SessionNotFound,*'
    }

    It 'freezes by name, and opens the endpoint of one without a session' {
        Use-QemuGuestFrozenFileSystem $names[0], (New-Endpoint) { 'done' } -OutcomeVariable outcome -Confirm:$false | Should -Be 'done'
        $outcome.IsConsistent | Should -Be $true, $true
        $outcome[0].PSGuestName | Should -Be $names[0]
    }

    It 'does nothing where guests come both ways: <_>' -ForEach @(
        '$sessions[0] | Invoke-QemuGuestProcess rm /x'
        '$sessions[0] | Get-QemuGuest nosuch'
        '$sessions[0] | Stop-QemuGuest nosuch -Confirm:$false'
    ) {
        { & ([scriptblock]::Create($_)) } | Should -Throw -ErrorId 'GuestsGivenTwice,*'
    }

    It 'gives the guest no say in which guest is meant: <_>' -ForEach @(
        '[pscustomobject]@{ PSGuestName = $names[0]; Endpoint = "exec:/bin/touch $mark" } | Get-QemuGuest'
        '[pscustomobject]@{ PSGuestName = $names[0]; Endpoint = "embedded:$($names[1])"; Name = $names[1] } | Get-QemuGuest'
        '[pscustomobject]@{ PSGuestName = $names[0]; VMName = $names[1] } | Get-QemuGuest'
        'Get-QemuGuestContent $names[0] /tmp/say | Get-QemuGuest'
        'Get-QemuGuestContent $names[0] /tmp/say | Invoke-QemuGuestAgentCommand guest-get-osinfo'
        'Get-QemuGuestContent $names[0] /tmp/say | Wait-QemuGuestAgent | Get-QemuGuest'
    ) {
        $mark = Join-Path $TestDrive 'ran'
        '*', $names[1], "exec:/bin/touch $mark" | Set-QemuGuestContent $names[0] /tmp/say -WarningAction SilentlyContinue
        $asked = & ([scriptblock]::Create($_))
        $asked.PSGuestName | Select-Object -Unique | Should -Be $names[0]
        $mark | Should -Not -Exist
    }

    It 'starts no program that an object names' {
        $mark = Join-Path $TestDrive 'started'
        { [pscustomobject]@{ Endpoint = "exec:/bin/touch $mark" } | Get-QemuGuest -ErrorAction Stop } | Should -Throw -ErrorId 'EndpointFromObject,*'
        { [pscustomobject]@{ PSGuestName = 'x'; Endpoint = "exec:/bin/touch $mark" } | Connect-QemuGuestAgent -ErrorAction Stop } | Should -Throw -ErrorId 'GuestNotFound,*'
        $mark | Should -Not -Exist
    }

    It 'takes a name of an object, and of what came from a guest, as it is' {
        $odd = Connect-QemuGuestAgent (New-Endpoint), (New-Endpoint), (New-Endpoint) -Name 'n*', 'we[b', 'host:4444'
        ([pscustomobject]@{ Name = 'n*' } | Get-QemuGuest).PSGuestName | Should -Be 'n*'
        foreach ($session in $odd) {
            (Get-QemuGuest $session | Select-Object * | Get-QemuGuest).PSGuestName | Should -Be $session.Name
        }
        (Get-QemuGuest 'we[b').PSGuestName | Should -Be 'we[b'
        (Get-QemuGuest 'host:4444').PSGuestName | Should -Be 'host:4444'
        { Get-QemuGuest 'no[b' -ErrorAction Stop } | Should -Throw -ErrorId 'GuestNotFound,*'
        Get-Process -Id $PID | Get-QemuGuest -ErrorVariable failed -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $failed | Should -Not -BeNullOrEmpty
        $odd | Disconnect-QemuGuestAgent
    }

    It 'takes a guest that is given twice once' {
        @(Get-QemuGuest $names[0], $names[0], $sessions[0]).Count | Should -Be 1
    }

    It 'completes sessions and kinds of endpoints' {
        (TabExpansion2 "Get-QemuGuest $($names[0].Substring(0, 5))").CompletionMatches.CompletionText | Should -Contain $names[0]
        (TabExpansion2 'Get-QemuGuest emb').CompletionMatches.CompletionText | Should -Contain 'embedded:'
    }
}

Describe 'Whose it is' {
    BeforeAll { $a, $b = Connect-QemuGuestAgent (New-Endpoint), (New-Endpoint) -Name alpha, beta }
    AfterAll { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It 'the message of an error names the guest, and the target is the session: <_>' -ForEach @(
        'Invoke-QemuGuestAgentCommand $a, $b guest-no-such'
        'Invoke-QemuGuestProcess $a, $b /no/such'
        'Get-QemuGuestContent $a, $b /no/such'
        'Get-QemuGuestProcess $a, $b -Id 4711'
        'Set-QemuGuestProcessor $a, $b 4711 -State Offline'
        'Copy-QemuGuestItem /etc/no-such -Destination $TestDrive -FromSession $a, $b -WarningAction SilentlyContinue'
    ) {
        $ErrorActionPreference = 'Continue'
        $failed = & ([scriptblock]::Create("$_ 2>&1"))
        $failed | Should -HaveCount 2
        $failed.TargetObject | Sort-Object Name | Should -Be $a, $b
        foreach ($record in $failed) { "$record" | Should -BeLike "*$($record.TargetObject.Name)*" }
    }

    It 'says it in catch too' {
        try { Invoke-QemuGuestAgentCommand $a guest-no-such -ErrorAction Stop } catch { $caught = $_ }
        $caught.TargetObject.Name | Should -Be 'alpha'
        $caught.PSGuestName | Should -Be 'alpha'
        "$caught" | Should -BeLike 'alpha: *'
    }

    It 'marks text and the answers of Test-' {
        'x' | Set-QemuGuestContent $a, $b /tmp/whose -WarningAction SilentlyContinue
        Get-QemuGuestContent $a, $b /tmp/whose | ForEach-Object { "$($_.PSGuestName)=$_" } | Sort-Object | Should -Be 'alpha=x', 'beta=x'
        (Get-QemuGuestContent $a /tmp/whose -Raw).PSGuestName | Should -Be 'alpha'
        Test-QemuGuestAgent $a, $b | ForEach-Object { "$($_.PSGuestName)=$_" } | Should -Be 'alpha=True', 'beta=True'
        if (Test-QemuGuestAgent (New-Endpoint 'silent=guest-sync-delimited,guest-sync') -TimeoutSeconds 0.2) { throw 'false is true' }
    }

    It 'tells the scripts of two guests apart' @NeedsRealAgent {
        $agents = 1..2 | ForEach-Object { Start-RealAgent }
        try {
            $two = Connect-QemuGuestAgent $agents.Endpoint -Name gamma, delta
            $all = Invoke-QemuGuestScript $two { Get-Item /nosuch; Write-Warning careful; 'text'; 5 } -WarningVariable warned -ErrorVariable failed -WarningAction SilentlyContinue -ErrorAction SilentlyContinue
            $warned.Message | Sort-Object | Should -Be 'delta: careful', 'gamma: careful'
            $failed.PSGuestName | Sort-Object | Should -Be delta, gamma
            $failed | ForEach-Object { "$_" } | Sort-Object | Should -BeLike '*: Cannot find path*'
            $all | ForEach-Object { "$($_.PSGuestName)=$_" } | Sort-Object | Should -Be 'delta=5', 'delta=text', 'gamma=5', 'gamma=text'
            try { Invoke-QemuGuestScript $two[0] { Get-Item /nosuch } -ErrorAction Stop } catch { $_.PSGuestName | Should -Be 'gamma' }
        }
        finally {
            $two | Disconnect-QemuGuestAgent
            $agents | ForEach-Object { Stop-RealAgent $_ }
        }
    }

    It 'puts what comes from many in a folder of each' {
        'one' | Set-QemuGuestContent $a, $b /tmp/fan -WarningAction SilentlyContinue
        $copies = Copy-QemuGuestItem /tmp/fan -Destination $TestDrive -FromSession $a, $b -PassThru -WarningAction SilentlyContinue
        $copies | Should -HaveCount 2
        'alpha', 'beta' | ForEach-Object { Get-Content (Join-Path $TestDrive "$_/fan") } | Should -Be 'one', 'one'
        $bad = Connect-QemuGuestAgent (New-Endpoint) -Name '../out'
        { Copy-QemuGuestItem /tmp/fan -Destination $TestDrive -FromSession $a, $bad -Force -ErrorAction Stop -WarningAction SilentlyContinue } |
            Should -Throw -ErrorId 'GuestNameNoFolder,*'
    }

    It 'tells where the folder of a guest would be that of another' {
        $same = Connect-QemuGuestAgent (New-Endpoint), (New-Endpoint) -Name same, SAME
        'x' | Set-QemuGuestContent $same[0], $same[1] /tmp/fan -WarningAction SilentlyContinue
        Copy-QemuGuestItem /tmp/fan -Destination $TestDrive -FromSession $same -Force -WarningAction SilentlyContinue -ErrorVariable failed -ErrorAction SilentlyContinue
        $failed.FullyQualifiedErrorId | Should -BeLike 'GuestNameNoFolder,*'
        Copy-QemuGuestItem /tmp/fan -Destination (Join-Path $TestDrive 'apart') -FromSession alpha, nosuch -WarningAction SilentlyContinue -ErrorAction SilentlyContinue
        Join-Path $TestDrive 'apart/alpha/fan' | Should -Exist
        { $b | Copy-QemuGuestItem -Path /tmp/fan -Destination $TestDrive -FromSession $a } | Should -Throw -ErrorId 'CopyDirectionNotGiven,*'
    }

    It 'copies to guests that come through the pipeline' {
        $file = New-Item (Join-Path $TestDrive 'to') -Value 'x'
        ($a, $b | Copy-QemuGuestItem -Path $file -Destination /tmp/to -PassThru -WarningAction SilentlyContinue).PSGuestName | Sort-Object |
            Should -Be alpha, beta
        ($file | Copy-QemuGuestItem -Destination /tmp/to2 -ToSession $a -PassThru -WarningAction SilentlyContinue).PSGuestName | Should -Be 'alpha'
        { $a | Copy-QemuGuestItem -Destination /tmp/to } | Should -Throw -ErrorId 'CopyDirectionNotGiven,*'
    }
}

Describe 'Input and output of cmdlets' {
    BeforeAll { $session = Connect-QemuGuestAgent (New-Endpoint) -Name io }
    AfterAll { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It 'feeds a program from the pipeline' {
        ('x', 'y' | Invoke-QemuGuestProcess $session cat).StandardOutput | Should -BeExactly "x`ny`n"
        (([byte[]](1, 2)) | Invoke-QemuGuestProcess io cat).StandardOutputBytes | Should -Be 1, 2
        ($session | Invoke-QemuGuestProcess -FilePath cat -InputObject z).StandardOutput | Should -BeExactly "z`n"
    }

    It 'finds a process again by what was exported' {
        $file = Join-Path $TestDrive 'process.xml'
        $one = Connect-QemuGuestAgent "embedded:$(($id = [guid]::NewGuid().ToString('N')))"
        Start-QemuGuestProcess $one echo exported | Export-Clixml $file
        Disconnect-QemuGuestAgent $one
        $result = Import-Clixml $file | Wait-QemuGuestProcess
        $result.StandardOutput | Should -BeExactly "exported`n"
        $result.PSGuestName | Should -Be $id
    }

    It 'keeps the processes of several guests apart' {
        $file = Join-Path $TestDrive 'several.xml'
        $ids = 1..3 | ForEach-Object { [guid]::NewGuid().ToString('N') }
        $open = Connect-QemuGuestAgent ($ids | ForEach-Object { "embedded:$_" })
        $open | ForEach-Object { 1..3 | ForEach-Object -Begin { $guest = $_ } { Start-QemuGuestProcess $guest echo "$($guest.Name) $_" } } | Export-Clixml $file
        $open | Disconnect-QemuGuestAgent
        $results = Import-Clixml $file | ForEach-Object { $_ | Wait-QemuGuestProcess }
        $results | ForEach-Object { $_.StandardOutput.Trim() } | Sort-Object | Should -Be ($ids | ForEach-Object { $id = $_; 1..3 | ForEach-Object { "$id $_" } } | Sort-Object)
        $results | ForEach-Object { $_.StandardOutput.StartsWith($_.PSGuestName) } | Should -Not -Contain $false
    }

    It 'asks for the process of each input object, however fast they come' @NeedsRealAgent {
        $agents = 1..2 | ForEach-Object { Start-RealAgent }
        try {
            $started = $agents | ForEach-Object { $one = $_; 1..4 | ForEach-Object { Start-QemuGuestProcess $one.Endpoint echo "$($one.Endpoint) $_" } }
            $file = Join-Path $TestDrive 'fast.xml'
            $started | Export-Clixml $file
            $results = Import-Clixml $file | Wait-QemuGuestProcess
            $results.Pid | Sort-Object | Should -Be ($started.Pid | Sort-Object)
        }
        finally { $agents | ForEach-Object { Stop-RealAgent $_ } }
    }

    It 'pipes a process that was started without a session' {
        $endpoint = New-Endpoint
        (Start-QemuGuestProcess $endpoint echo once | Wait-QemuGuestProcess).StandardOutput | Should -BeExactly "once`n"
    }

    It 'a look at a process takes nothing from a later wait' {
        $process = Start-QemuGuestProcess $session echo kept
        Wait-Until { (Get-QemuGuestProcess $session -Id $process.Pid).HasExited }
        (Get-QemuGuestProcess $session).Pid | Should -Contain $process.Pid
        (Wait-QemuGuestProcess $session -Id $process.Pid).StandardOutput | Should -BeExactly "kept`n"
        { Wait-QemuGuestProcess $session -Id $process.Pid -ErrorAction Stop } | Should -Throw -ErrorId 'ProcessUnknown,*'
    }

    It 'setters pass on what they have set' {
        (Set-QemuGuestTime $session ([datetime]::Now) -PassThru).psobject.TypeNames | Should -Contain 'QemuGuestAgent.Time'
        (Add-QemuGuestSshKey $session root 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID7RjvM4Bhf7EoONB73K3uMdnmKNYdhyZ7NpRdAO5hyl alice@host' -PassThru).Key |
            Should -BeLike 'ssh-ed25519 *'
        $processor = (Get-QemuGuestProcessor $session).LogicalId | Select-Object -Last 1
        (Set-QemuGuestProcessor $session $processor -State Offline -PassThru).Online | Should -BeFalse
    }

    It 'waits for an address that others can reach' {
        foreach ($family in 'Any', 'IPv4', 'IPv6') { (Wait-QemuGuestAgent $session -ForAddress $family -TimeoutSeconds 10).Name | Should -Be 'io' }
        (Wait-QemuGuestAgent (New-Endpoint) -ForAddress IPv4).State | Should -Be 'Ready'
    }

    It 'tells steps with -Verbose, not each question' {
        $told = Invoke-QemuGuestProcess $session sleep 0.5 -Verbose 4>&1 | Where-Object { $_ -is [Management.Automation.VerboseRecord] }
        @($told -like '*guest-exec-status*') | Should -HaveCount 1
    }
}
