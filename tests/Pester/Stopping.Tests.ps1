BeforeAll {
    . $PSScriptRoot/Common.ps1

    # Runs a script in a runspace of its own, waits until the agent is at work, and stops it as Ctrl+C does.
    function Stop-Script([scriptblock] $Script, $Session) {
        $shell = [powershell]::Create()
        $null = $shell.AddScript("param(`$module, `$session) Import-Module `$module; $Script").AddArgument($ModulePath).AddArgument($Session)
        $running = $shell.BeginInvoke()
        Wait-Until { if ($running.IsCompleted) { throw "The command was never at work: $($shell.Streams.Error)" }; $Session.State -eq 'Busy' }
        $shell.Stop()
        $shell.InvocationStateInfo.State
        $shell.Dispose()
    }
}

Describe 'Stopping' {
    AfterEach { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It 'Ctrl+C ends a command at once, and the session stays usable' {
        $session = Connect-QemuGuestAgent 'embedded:?slow=guest-get-time:600000'
        Stop-Script { Invoke-QemuGuestAgentCommand $session guest-get-time -TimeoutSeconds 0 } $session | Should -Be 'Stopped'
        $session.State | Should -Be 'OutOfSync'
    }

    It 'the next command after Ctrl+C is answered by its own reply' {
        $session = Connect-QemuGuestAgent 'embedded:?slow=guest-get-time:300'
        Stop-Script { Invoke-QemuGuestAgentCommand $session guest-get-time } $session | Should -Be 'Stopped'
        Invoke-QemuGuestAgentCommand $session guest-sync @{ id = 42 } | Should -Be 42
        $session.State | Should -Be 'Ready'
    }

    It 'Select-Object -First 1 does not wait for the others, and leaves them usable' {
        $fast = Connect-QemuGuestAgent embedded:
        $slow = Connect-QemuGuestAgent 'embedded:?slow=guest-ping:600000'
        $fast, $slow | Invoke-QemuGuestAgentCommand guest-ping -TimeoutSeconds 0 | Select-Object -First 1 | Should -Not -BeNullOrEmpty
        $slow.State | Should -BeIn 'OutOfSync', 'Ready'
    }

    It 'Select-Object -First 1 over Connect closes what was not handed over' {
        $first = 'embedded:', 'embedded:?delay=200', 'embedded:?delay=200' | Connect-QemuGuestAgent | Select-Object -First 1
        $first.State | Should -Be 'Ready'
        @(Get-QemuGuestAgent) | Should -HaveCount 1
    }

    It 'a time-out is an error of its own, and the session synchronises by itself' {
        $session = Connect-QemuGuestAgent 'embedded:?slow=guest-get-time:400'
        Invoke-QemuGuestAgentCommand $session guest-get-time -TimeoutSeconds 0.1 -ErrorVariable failed -ErrorAction SilentlyContinue
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'CommandTimedOut,*'
        $failed[0].CategoryInfo.Category | Should -Be 'OperationTimeout'
        $session.State | Should -Be 'OutOfSync'
        Invoke-QemuGuestAgentCommand $session guest-sync @{ id = 43 } | Should -Be 43
    }

    It 'a time-out without end of the agent is busy at the next command' {
        $session = Connect-QemuGuestAgent 'embedded:?slow=guest-get-time:600000'
        Invoke-QemuGuestAgentCommand $session guest-get-time -TimeoutSeconds 0.1 -ErrorAction SilentlyContinue
        { Invoke-QemuGuestAgentCommand $session guest-ping -TimeoutSeconds 0.1 -ErrorAction Stop } | Should -Throw -ErrorId 'AgentBusy,*'
    }

    It 'Disconnect ends a command that is outstanding' {
        $session = Connect-QemuGuestAgent 'embedded:?slow=guest-get-time:600000'
        $shell = [powershell]::Create().AddScript('param($module, $session) Import-Module $module; Invoke-QemuGuestAgentCommand $session guest-get-time -TimeoutSeconds 0').AddArgument($ModulePath).AddArgument($session)
        $running = $shell.BeginInvoke()
        Wait-Until { $session.State -eq 'Busy' }
        Disconnect-QemuGuestAgent $session
        $running.AsyncWaitHandle.WaitOne(20000) | Should -BeTrue
        $shell.Streams.Error[0].FullyQualifiedErrorId | Should -BeLike 'SessionClosed,*'
        $shell.Dispose()
    }

    It 'an endless line breaks the session, and Sync-QemuGuestAgent mends it' {
        $session = Connect-QemuGuestAgent 'embedded:?endless=guest-get-time'
        { Invoke-QemuGuestAgentCommand $session guest-get-time -ErrorAction Stop } | Should -Throw -ErrorId 'ReplyTooLong,*'
        $session.State | Should -Be 'Faulted'
        { Invoke-QemuGuestAgentCommand $session guest-ping -ErrorAction Stop } | Should -Throw -ErrorId 'SessionFaulted,*'
        (Sync-QemuGuestAgent $session).IsDelimited | Should -BeTrue
        Invoke-QemuGuestAgentCommand $session guest-sync @{ id = 44 } | Should -Be 44
    }

    It 'an agent that dies in the middle of a reply and comes back gives no wrong answer' {
        $session = Connect-QemuGuestAgent 'embedded:?dies-mid-reply=2'
        Invoke-QemuGuestAgentCommand $session guest-get-osinfo -TimeoutSeconds 0.3 -ErrorVariable failed -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $failed | Should -HaveCount 1
        (Invoke-QemuGuestAgentCommand $session guest-get-host-name).'host-name' | Should -Be 'embedded'
    }
}
