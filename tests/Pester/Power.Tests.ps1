BeforeAll { . $PSScriptRoot/Common.ps1 }

Describe 'Stop-, Restart- and Suspend-QemuGuest' {
    AfterEach { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It 'says what it cannot ask for, and how to do without' {
        $told = Invoke-Fresh "Import-Module '$ModulePath'; `$vm = Connect-QemuGuestAgent embedded: -Name web1
            foreach (`$line in { Stop-QemuGuest `$vm }, { Restart-QemuGuest `$vm }, { Suspend-QemuGuestFileSystem `$vm }) { try { & `$line } catch { `$_.FullyQualifiedErrorId; `"`$_`" } }
            Stop-QemuGuest `$vm -Confirm:`$false; 'done'"
        $told -like 'ConfirmationNotPossible,*' | Should -HaveCount 3
        $told -like '*web1*Shut down*' | Should -HaveCount 1
        $told[-1] | Should -Be 'done'
    }

    It '<Command> tells the guest to, and writes nothing' -ForEach @(
        @{ Command = 'Stop-QemuGuest' }
        @{ Command = 'Stop-QemuGuest -Halt' }
        @{ Command = 'Restart-QemuGuest' }
        @{ Command = 'Suspend-QemuGuest -To Disk' }
        @{ Command = 'Suspend-QemuGuest -To Memory' }
        @{ Command = 'Suspend-QemuGuest -To Hybrid' }
    ) {
        $session = Connect-QemuGuestAgent (New-Endpoint)
        & ([scriptblock]::Create("`$args[0] | $Command -Confirm:`$false -ErrorAction Stop")) $session | Should -BeNullOrEmpty
    }

    It '-Wait sees that a guest is switched off' {
        $session = Connect-QemuGuestAgent (New-Endpoint)
        Stop-QemuGuest $session -Wait -Confirm:$false -TimeoutSeconds 60 -ErrorAction Stop | Should -BeNullOrEmpty
        $session.State | Should -Be 'Faulted'
    }

    It '-Wait sees that a guest is back, and the session is in sync' {
        $session = Connect-QemuGuestAgent (New-Endpoint 'boot-delay=1000')
        Restart-QemuGuest $session -Wait -Confirm:$false -TimeoutSeconds 120 -ErrorAction Stop
        $session.State | Should -Be 'Ready'
        Invoke-QemuGuestAgentCommand $session guest-sync @{ id = 7 } | Should -Be 7
    }

    It '-Wait says what it did not see' {
        $session = Connect-QemuGuestAgent (New-Endpoint)
        { Stop-QemuGuest $session -Halt -Wait -Confirm:$false -TimeoutSeconds 60 -ErrorAction Stop } | Should -Not -Throw
        $other = Connect-QemuGuestAgent (New-Endpoint 'boot-delay=3600000')
        { Restart-QemuGuest $other -Wait -Confirm:$false -TimeoutSeconds 2 -ErrorAction Stop } | Should -Throw '*its return from the restart was not observed*' -ErrorId 'AgentNotReady,*'
    }

    It 'policy that forbids it is an error of that guest' {
        $well = Connect-QemuGuestAgent (New-Endpoint)
        $forbidden = Connect-QemuGuestAgent (New-Endpoint 'blocked=guest-shutdown')
        Stop-QemuGuest $forbidden, $well -Confirm:$false -ErrorVariable failed -ErrorAction SilentlyContinue
        $failed | Should -HaveCount 1
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'CommandDisabled,*'
        $failed[0].TargetObject | Should -Be $forbidden
    }

    It 'asks once more where a process is under way, but not with -Force or -WhatIf' {
        $session = Connect-QemuGuestAgent (New-Endpoint)
        $null = Start-QemuGuestProcess $session /bin/cat -Confirm:$false
        Restart-QemuGuest $session -WhatIf
        $shell = [powershell]::Create().AddScript('param($m, $s) Import-Module $m; Restart-QemuGuest $s -Confirm:$false').AddArgument($ModulePath).AddArgument($session)
        $null = $shell.Invoke()

        # There is no host to ask.
        $shell.Streams.Error | Should -HaveCount 1
        $shell.Streams.Error[0].Exception.Message | Should -BeLike "*prompts the user*"
        $shell.Dispose()
        Restart-QemuGuest $session -Force -Confirm:$false -ErrorAction Stop
    }
}
