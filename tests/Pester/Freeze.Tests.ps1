BeforeDiscovery { . $PSScriptRoot/Common.ps1 }
BeforeAll {
    . $PSScriptRoot/Common.ps1

    # Looks into the guest itself: its channel serves one client, and closing that one's session would thaw it.
    function Test-Frozen([string] $Endpoint) {
        $name = $Endpoint -replace '^embedded:' -replace '\?.*'
        foreach ($assembly in [AppDomain]::CurrentDomain.GetAssemblies() | Where-Object { $_.GetName().Name -eq 'QemuGuestAgent.EmbeddedAgent' }) {
            $agents = $assembly.GetType('QemuGuestAgent.EmbeddedAgent.EmbeddedEndpoint').GetField('Named', 'NonPublic, Static').GetValue($null)
            if ($agents.ContainsKey($name)) { return $agents[$name].Item2.IsFrozen }
        }
        throw "There is no agent '$name'."
    }
}

Describe 'Use-QemuGuestFrozenFileSystem' {
    BeforeEach { $session = Connect-QemuGuestAgent ($endpoint = New-Endpoint) }

    AfterEach { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It 'freezes, runs the block in the scope of its caller, thaws, and writes what the block writes' {
        $base = 41
        $result = Use-QemuGuestFrozenFileSystem $session { $session.IsFrozen; $base + 1; $script:seen = 'set' } -OutcomeVariable outcome -Confirm:$false
        $result | Should -Be $true, 42
        $seen | Should -Be 'set'
        $session.IsFrozen | Should -BeFalse
        Test-Frozen $endpoint | Should -BeFalse
        $outcome | Should -HaveCount 1
        $outcome[0] | Should -BeOfType QemuGuestAgent.AgentFreezeOutcome
        $outcome.PSGuestName | Should -Be $session.Name
        $outcome.IsConsistent | Should -BeTrue
        $outcome.Result | Should -Be 'Consistent'
        $outcome.FrozenCount | Should -Be 2
        $outcome.ThawedCount | Should -Be 2
        $outcome.Duration | Should -BeGreaterThan ([timespan]::Zero)
        $outcome.Reason | Should -BeNullOrEmpty
        ($outcome | Out-String -Width 80) | Should -Match 'Guest\s+Consistent\s+Result\s+Frozen\s+Thawed\s+Duration'
    }

    It 'takes sessions by pipeline, and freezes all of them together' {
        $other = Connect-QemuGuestAgent (New-Endpoint)
        $frozen = $session, $other | Use-QemuGuestFrozenFileSystem -ScriptBlock { $session.IsFrozen, $other.IsFrozen } -MountPoint /boot -OutcomeVariable outcome -Confirm:$false
        $frozen | Should -Be $true, $true
        $outcome.FrozenCount | Should -Be 1, 1
        $outcome.IsConsistent | Should -Be $true, $true
    }

    It 'does not run a block that was taken for something else' {
        { $session | Use-QemuGuestFrozenFileSystem { $script:hasRun = $true } -Confirm:$false } | Should -Throw -ErrorId '*,QemuGuestAgent.Commands.UseQemuGuestFrozenFileSystemCommand'
        $hasRun | Should -BeNullOrEmpty
    }

    It 'passes every stream of the block on' {
        $result = Use-QemuGuestFrozenFileSystem $session {
            $ErrorActionPreference = 'Continue'
            Write-Warning careful; Write-Error wrong; Write-Information told; Write-Verbose so -Verbose; Write-Output out
        } -Confirm:$false -WarningVariable warned -ErrorVariable failed -InformationVariable informed -WarningAction SilentlyContinue -ErrorAction SilentlyContinue 4>&1
        $result | Where-Object { $_ -is [string] } | Should -Be 'out'
        $warned | Should -Be 'careful'
        "$($failed[0])" | Should -Be 'wrong'
        $informed | Should -Be 'told'
    }

    It 'thaws when the block throws, and passes the error on as it is' {
        $part = try {
            Use-QemuGuestFrozenFileSystem $session { 'part'; throw 'it broke' } -OutcomeVariable outcome -Confirm:$false
        } catch { $failed = $_ }
        $failed.Exception.Message | Should -Be 'it broke'
        Test-Frozen $endpoint | Should -BeFalse
        $outcome.Result | Should -Be 'WorkFailed'
        $outcome.IsConsistent | Should -BeFalse
        $outcome.Reason | Should -Be 'it broke'
    }

    It 'gives the reason for each guest where one cannot be frozen' {
        $bad = Connect-QemuGuestAgent (New-Endpoint 'blocked=guest-fsfreeze-freeze') -Name bad
        try {
            Use-QemuGuestFrozenFileSystem $session, $bad { $script:hasRun = $true } -OutcomeVariable outcome -Confirm:$false
        } catch { $failed = $_ }
        $failed.FullyQualifiedErrorId | Should -BeLike 'CommandDisabled,*'
        $hasRun | Should -BeNullOrEmpty
        $outcome.Result | Should -Be 'WorkFailed', 'NotFrozen'
        $outcome[0].Reason | Should -BeLike '*because the guest of * could not be*guest-fsfreeze-freeze*disabled*'
        $outcome[1].Reason | Should -BeLike "*'guest-fsfreeze-freeze' is disabled*"
        Test-Frozen $endpoint | Should -BeFalse
    }

    It 'runs the block in Constrained Language, in the scope of its caller' {
        Invoke-Fresh "Import-Module '$ModulePath'; `$session = Connect-QemuGuestAgent embedded:; `$x = 1
            `$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'
            Use-QemuGuestFrozenFileSystem `$session {
                `$session.IsFrozen; Set-Variable x 2 -Scope 1; `$y = 3; `$x = 4; `"`$(`$ExecutionContext.SessionState.LanguageMode)`"
                try { [IO.File]::Exists('/') } catch { 'refused' }
            } -Confirm:`$false
            `"`$x`$y`"" | Should -Be 'True', 'ConstrainedLanguage', 'refused', '2'
    }

    It 'thaws when an error ends the block by preference' {
        {
            $ErrorActionPreference = 'Stop'
            Use-QemuGuestFrozenFileSystem $session { Write-Error 'not so'; $script:goesOn = $true } -Confirm:$false
        } | Should -Throw 'not so'
        $goesOn | Should -BeNullOrEmpty
        Test-Frozen $endpoint | Should -BeFalse
    }

    It 'thaws when whoever is next in the pipeline has enough' {
        Use-QemuGuestFrozenFileSystem $session { 1; 2; Start-Sleep 600 } -Confirm:$false | Select-Object -First 1 | Should -Be 1
        Test-Frozen $endpoint | Should -BeFalse
    }

    It 'thaws at once when the time is over, and ends a block that <Name>' -ForEach @(
        @{ Name = 'sleeps'; Block = { 'first'; Start-Sleep 600 } }
        @{ Name = 'never waits'; Block = { 'first'; while ($true) { } } }
        @{ Name = 'runs a program'; Block = { 'first'; if ($OnWindows) { & $pwsh -noprofile -c 'Start-Sleep 600' } else { & /bin/sleep 600 } } }
    ) {
        $result = try {
            Use-QemuGuestFrozenFileSystem $session $Block -MaximumSeconds 0.5 -OutcomeVariable outcome -Confirm:$false
        } catch { $failed = $_ }
        $failed.FullyQualifiedErrorId | Should -BeLike 'FreezeTimeLimit,*'
        $failed.TargetObject | Should -Be $session
        Test-Frozen $endpoint | Should -BeFalse
        $outcome.Result | Should -Be 'TimeLimit'
        $outcome.IsConsistent | Should -BeFalse
    }

    It 'has the same error when the time is over while the block begins' {
        foreach ($tick in 1..200) {
            { Use-QemuGuestFrozenFileSystem $session { Start-Sleep 600 } -MaximumSeconds (0.001 + $tick / 50000) -Confirm:$false } |
                Should -Throw -ErrorId 'FreezeTimeLimit,*'
        }
    }

    It 'thaws on Ctrl+C' {
        $shell = [powershell]::Create().AddScript('param($m, $s) Import-Module $m; Use-QemuGuestFrozenFileSystem $s { Start-Sleep 600 } -Confirm:$false').AddArgument($ModulePath).AddArgument($session)
        $null = $shell.BeginInvoke()
        Wait-Until { $session.IsFrozen }
        $shell.Stop()
        $shell.InvocationStateInfo.State | Should -Be 'Stopped'
        $shell.Dispose()
        Test-Frozen $endpoint | Should -BeFalse
    }

    It 'thaws on Ctrl+C while the freeze is under way' {
        $slow = Connect-QemuGuestAgent ($at = New-Endpoint 'slow=guest-fsfreeze-freeze:700')
        $shell = [powershell]::Create().AddScript('param($m, $s) Import-Module $m; Use-QemuGuestFrozenFileSystem $s { "ran" } -Confirm:$false').AddArgument($ModulePath).AddArgument($slow)
        $output = [System.Management.Automation.PSDataCollection[psobject]]::new()
        $null = $shell.BeginInvoke([System.Management.Automation.PSDataCollection[psobject]]::new(), $output)
        Wait-Until { $slow.State -eq 'Busy' }
        $shell.Stop()
        $shell.Dispose()
        $output | Should -BeNullOrEmpty
        Test-Frozen $at | Should -BeFalse
    }

    It 'thaws when the runspace is closed' {
        $at = New-Endpoint
        $shell = [powershell]::Create([runspacefactory]::CreateRunspace())
        $shell.Runspace.Open()
        $null = $shell.AddScript('param($m, $at) Import-Module $m; $s = Connect-QemuGuestAgent $at; $s; Use-QemuGuestFrozenFileSystem $s { Start-Sleep 600 } -Confirm:$false').AddArgument($ModulePath).AddArgument($at)
        $output = [System.Management.Automation.PSDataCollection[psobject]]::new()
        $null = $shell.BeginInvoke([System.Management.Automation.PSDataCollection[psobject]]::new(), $output)
        Wait-Until { $output.Count -gt 0 -and $output[0].IsFrozen }
        $shell.Runspace.Close()
        Test-Frozen $at | Should -BeFalse
        $output[0].State | Should -Be 'Closed'
        $shell.Dispose()
    }

    It 'thaws when the session is closed elsewhere, and fails the block' {
        $shell = [powershell]::Create().AddScript('param($m, $s) Import-Module $m; Use-QemuGuestFrozenFileSystem $s { Start-Sleep 600 } -Confirm:$false').AddArgument($ModulePath).AddArgument($session)
        $running = $shell.BeginInvoke()
        Wait-Until { $session.IsFrozen }
        Disconnect-QemuGuestAgent $session
        Test-Frozen $endpoint | Should -BeFalse
        $running.AsyncWaitHandle.WaitOne(20000) | Should -BeTrue
        $shell.Streams.Error[0].FullyQualifiedErrorId | Should -BeLike 'SessionClosed,*'
        $shell.Dispose()
    }

    It 'thaws the others where one cannot be frozen, and does not run the block' {
        $ats = 1..10 | ForEach-Object { New-Endpoint $(if ($_ -eq 7) { 'blocked=guest-fsfreeze-freeze' }) }
        $sessions = Connect-QemuGuestAgent $ats
        { Use-QemuGuestFrozenFileSystem $sessions { $script:hasRun = $true } -Confirm:$false } | Should -Throw -ErrorId 'CommandDisabled,*'
        $hasRun | Should -BeNullOrEmpty
        $sessions.IsFrozen | Should -Not -Contain $true
        $ats | ForEach-Object { Test-Frozen $_ } | Should -Not -Contain $true
    }

    It 'settles a freeze whose reply is lost' {
        $lost = Connect-QemuGuestAgent (New-Endpoint 'lost=guest-fsfreeze-freeze:1')
        Use-QemuGuestFrozenFileSystem $lost { 'ran' } -TimeoutSeconds 0.5 -OutcomeVariable outcome -Confirm:$false | Should -Be 'ran'
        $outcome.IsConsistent | Should -BeTrue
        $outcome.FrozenCount | Should -BeNullOrEmpty
    }

    It 'says what was thawed behind its back, and goes on' {
        $result = Use-QemuGuestFrozenFileSystem $session {
            Invoke-QemuGuestAgentCommand $session guest-fsfreeze-thaw -Confirm:$false
        } -OutcomeVariable outcome -Confirm:$false -ErrorVariable failed -ErrorAction SilentlyContinue
        $result | Should -Be 2
        $failed.FullyQualifiedErrorId | Should -BeLike 'ThawedEarly,*'
        $outcome.Result | Should -Be 'ThawedEarly'
        $outcome.Reason | Should -BeLike '*nothing left to thaw*'
    }

    It 'refuses while a process that it started has not been seen to end, and not with -Force' {
        $null = Start-QemuGuestProcess $session /bin/cat -Confirm:$false
        { Use-QemuGuestFrozenFileSystem $session { 1 } -Confirm:$false } | Should -Throw -ErrorId 'FreezeInFlight,*'
        { Suspend-QemuGuestFileSystem $session -Confirm:$false -ErrorAction Stop } | Should -Throw -ErrorId 'FreezeInFlight,*'
        Use-QemuGuestFrozenFileSystem $session { 1 } -Force -Confirm:$false | Should -Be 1
    }

    It 'does nothing with -WhatIf, and asks by default where nothing thaws by itself' {
        Use-QemuGuestFrozenFileSystem $session { $script:hasRun = $true } -WhatIf
        $hasRun | Should -BeNullOrEmpty
        [System.Management.Automation.CommandMetadata]::new((Get-Command Use-QemuGuestFrozenFileSystem)).ConfirmImpact | Should -Be 'Medium'
        foreach ($name in 'Suspend-QemuGuestFileSystem', 'Stop-QemuGuest', 'Restart-QemuGuest', 'Suspend-QemuGuest') {
            [System.Management.Automation.CommandMetadata]::new((Get-Command $name)).ConfirmImpact | Should -Be 'High' -Because $name
        }
    }

    It 'shows the wire with -Debug and the steps with -Verbose' {
        $told = Use-QemuGuestFrozenFileSystem $session { 'x' } -Confirm:$false -Verbose -Debug 4>&1 5>&1
        "$told" | Should -Match 'Sending guest-fsfreeze-freeze'
        "$told" | Should -Match '-> .*guest-fsfreeze-thaw'
    }

    It 'thaws when the process is ended by SIG<Signal>' -ForEach @{ Signal = 'TERM' }, @{ Signal = 'HUP' } -Skip:(-not (Test-PwshTakesSignals)) -Tag 'it needs signals of Unix, and a PowerShell that is no launcher' {
        $type = ([AppDomain]::CurrentDomain.GetAssemblies() | Where-Object { $_.GetName().Name -eq 'QemuGuestAgent.EmbeddedAgent' } | Select-Object -First 1).GetType('QemuGuestAgent.EmbeddedAgent.EmbeddedGuestAgent')
        $agent = [Activator]::CreateInstance($type, @(, $null))
        $path = Join-Path $TestDrive "$Signal.sock"
        $listener = [System.Net.Sockets.Socket]::new('Unix', 'Stream', 'Unspecified')
        $listener.Bind([System.Net.Sockets.UnixDomainSocketEndPoint]::new($path))
        $listener.Listen(1)
        $accepting = $listener.AcceptAsync()
        $script = "Import-Module '$ModulePath'; Use-QemuGuestFrozenFileSystem (Connect-QemuGuestAgent '$path') { Start-Sleep 600 } -Confirm:`$false"
        # Where nohup runs the tests, what they start would ignore SIGHUP too.
        $command = @(if ($IsLinux) { 'env', '--default-signal' }) + $pwsh + '-noprofile', '-noninteractive', '-encodedcommand', ([Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($script)))
        $process = Start-Process $command[0] $command[1..$command.Count] -PassThru
        try {
            $accepting.Wait(60000) | Should -BeTrue
            $serving = $agent.ServeAsync([System.Net.Sockets.NetworkStream]::new($accepting.Result, $true), [Threading.CancellationToken]::None)
            Wait-Until { $agent.IsFrozen }
            & /bin/kill -$Signal $process.Id
            Wait-Until { -not $agent.IsFrozen }
            $process.WaitForExit(30000) | Should -BeTrue
            $serving.Wait(30000) | Should -BeTrue
        }
        finally {
            if (-not $process.HasExited) { $process.Kill() }
            $listener.Dispose()
        }
    }
}

Describe 'Suspend- and Resume-QemuGuestFileSystem' {
    BeforeEach { $session = Connect-QemuGuestAgent ($endpoint = New-Endpoint) }

    AfterEach { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It 'hold a guest frozen across calls, and show it' {
        Suspend-QemuGuestFileSystem $session -Confirm:$false | Should -BeNullOrEmpty
        $session.IsFrozen | Should -BeTrue
        Test-Frozen $endpoint | Should -BeTrue
        ($session | Out-String -Width 80) | Should -Match 'Ready, frozen'
        Test-QemuGuestAgent $session | Should -BeFalse
        Resume-QemuGuestFileSystem $session | Should -BeNullOrEmpty
        $session.IsFrozen | Should -BeFalse
        Test-Frozen $endpoint | Should -BeFalse
        Test-QemuGuestAgent $session | Should -BeTrue
    }

    It 'pass the sessions on with -PassThru' {
        $other = Connect-QemuGuestAgent (New-Endpoint)
        $frozen = $session, $other | Suspend-QemuGuestFileSystem -MountPoint / -PassThru -Confirm:$false
        $frozen.Id | Sort-Object | Should -Be (@($session.Id, $other.Id) | Sort-Object)
        ($frozen | Resume-QemuGuestFileSystem -PassThru).IsFrozen | Should -Be $false, $false
    }

    It 'say where nothing could be frozen, or it is frozen already' {
        { Suspend-QemuGuestFileSystem $session -MountPoint /nowhere -Confirm:$false -ErrorAction Stop } | Should -Throw -ErrorId 'NothingFrozen,*'
        $session.IsFrozen | Should -BeFalse
        Suspend-QemuGuestFileSystem $session -Confirm:$false
        { Suspend-QemuGuestFileSystem $session -Confirm:$false -ErrorAction Stop } | Should -Throw -ErrorId 'GuestFrozen,*'
        { Get-QemuGuestTime $session -ErrorAction Stop } | Should -Throw -ErrorId 'GuestFrozen,*'
        Resume-QemuGuestFileSystem $session
    }

    It 'warn that Windows does not hold writes for long' {
        Suspend-QemuGuestFileSystem $session -Confirm:$false -WarningVariable warned
        $warned | Should -BeNullOrEmpty
        $windows = Connect-QemuGuestAgent (New-Endpoint 'os=windows') -Name win
        Suspend-QemuGuestFileSystem $windows -Confirm:$false -WarningVariable warned -WarningAction SilentlyContinue
        "$warned" | Should -BeLike 'win: Windows holds writes for 10 seconds only.*'
        $windows, $session | Resume-QemuGuestFileSystem
    }

    It 'leave what is not frozen as it is' {
        Resume-QemuGuestFileSystem $session -ErrorVariable failed
        $failed | Should -BeNullOrEmpty
    }

    It 'work on endpoints, from one process to the next' {
        Disconnect-QemuGuestAgent $session
        Suspend-QemuGuestFileSystem -Endpoint $endpoint -Confirm:$false
        Test-Frozen $endpoint | Should -BeTrue
        Resume-QemuGuestFileSystem -Endpoint $endpoint
        Test-Frozen $endpoint | Should -BeFalse
    }

    It 'warn on connecting to a guest that was left frozen, and name the remedy' {
        Suspend-QemuGuestFileSystem $session -Confirm:$false
        Disconnect-QemuGuestAgent $session
        $next = Connect-QemuGuestAgent $endpoint -WarningVariable warned -WarningAction SilentlyContinue
        $warned | Should -BeLike '*is frozen*Resume-QemuGuestFileSystem*'
        $next.IsFrozen | Should -BeTrue
        $waited = Wait-QemuGuestAgent $next -WarningVariable warned -WarningAction SilentlyContinue
        $waited.Id | Should -Be $next.Id
        $warned | Should -BeLike '*is frozen*'
        $next | Where-Object IsFrozen | Resume-QemuGuestFileSystem
        $next.IsFrozen | Should -BeFalse
        Disconnect-QemuGuestAgent $next
        $null = Connect-QemuGuestAgent $endpoint -WarningVariable warned
        $warned | Should -BeNullOrEmpty
    }
}
