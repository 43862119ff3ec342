BeforeDiscovery { . $PSScriptRoot/Common.ps1 }
BeforeAll { . $PSScriptRoot/Common.ps1 }

Describe 'The real agent of <AgentName>' -ForEach $RealAgents @NeedsRealAgent {
    BeforeAll {
        $agent = Start-RealAgent $AgentPath
        $script:session = Connect-QemuGuestAgent $agent.Endpoint -Name real
    }
    AfterAll {
        Disconnect-QemuGuestAgent $session
        Stop-RealAgent $agent
    }

    It 'is ready after Connect' {
        $session.State | Should -Be 'Ready'
        $session.AgentVersion | Should -Match '^\d+\.\d+'
        (Sync-QemuGuestAgent $session).IsDelimited | Should -BeTrue
    }

    It 'is found by Get-ChildItem, with the name that its path would give it' {
        # The agent serves one client at a time.
        Disconnect-QemuGuestAgent $session
        $script:session = Get-ChildItem $agent.Folder -Filter *.sock | Connect-QemuGuestAgent
        $session.Name | Should -Be 'qga'
        $session.State | Should -Be 'Ready'
        Disconnect-QemuGuestAgent $session
        $script:session = [pscustomobject]@{ Endpoint = $agent.Endpoint; Name = 'web1.example.com' } | Connect-QemuGuestAgent
        $session.Name | Should -Be 'web1.example.com'
        Disconnect-QemuGuestAgent $session
        $script:session = Connect-QemuGuestAgent $agent.Endpoint -Name qga.sock
        $session.Name | Should -Be 'qga.sock'
        Disconnect-QemuGuestAgent $session
        $script:session = Connect-QemuGuestAgent $agent.Endpoint -Name real
    }

    It 'answers <_>' -ForEach 'guest-ping', 'guest-info', 'guest-get-osinfo', 'guest-get-host-name', 'guest-get-vcpus', 'guest-network-get-interfaces' {
        $result = Invoke-QemuGuestAgentCommand $session $_
        @($result)[0].PSGuestName | Should -Be 'real'
    }

    It 'runs a program and gives its output' {
        $started = Invoke-QemuGuestAgentCommand $session guest-exec @{ path = '/bin/echo'; arg = @('ünïcode 漢字'); 'capture-output' = $true }
        do { $status = Invoke-QemuGuestAgentCommand $session guest-exec-status @{ pid = $started.pid } -ErrorAction Stop } until ($status.exited)
        [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($status.'out-data')) | Should -Be "ünïcode 漢字`n"
    }

    It 'tells a blocked command from one that is not there' {
        { Invoke-QemuGuestAgentCommand $session guest-fstrim -Confirm:$false -ErrorAction Stop } | Should -Throw -ErrorId 'CommandDisabled,*'
        { Invoke-QemuGuestAgentCommand $session guest-nonsense -ErrorAction Stop } | Should -Throw -ErrorId 'CommandNotFound,*'
    }

    It 'refuses a wrong argument with its own text' {
        Invoke-QemuGuestAgentCommand $session guest-file-open @{ path = 5 } -ErrorVariable failed -ErrorAction SilentlyContinue
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'AgentError,*'
        "$failed" | Should -BeLike "*'path'*"
    }

    It 'goes on after a time-out' {
        Invoke-QemuGuestAgentCommand $session guest-get-fsinfo -TimeoutSeconds 0.000001 -ErrorAction SilentlyContinue
        Invoke-QemuGuestAgentCommand $session guest-sync @{ id = 45 } | Should -Be 45
    }
}

Describe 'A further agent' {
    It 'is named by QEMU_GA_NEW' @NeedsRealAgent {
        if (-not $env:QEMU_GA_NEW) { Set-ItResult -Skipped -Because 'QEMU_GA_NEW names none: tests/tools/newer-agent.sh brings one' }
        $RealAgents.AgentName | Should -Contain 'QEMU_GA_NEW'
    }
}
