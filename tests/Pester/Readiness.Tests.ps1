BeforeDiscovery { . $PSScriptRoot/Common.ps1 }
BeforeAll { . $PSScriptRoot/Common.ps1 }

Describe 'Test-QemuGuestAgent' {
    AfterEach { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It 'writes true or false in the order given, and no error' {
        $slow = Connect-QemuGuestAgent (New-Endpoint 'delay=50')
        $silent = Connect-QemuGuestAgent (New-Endpoint 'slow=guest-ping:600000')
        $well = Connect-QemuGuestAgent (New-Endpoint)
        Test-QemuGuestAgent $slow, $silent, $well -TimeoutSeconds 10 -ErrorAction Stop | Should -Be $true, $false, $true
        $well | Test-QemuGuestAgent | Should -BeOfType bool
    }

    It 'takes endpoints, which need not be there' {
        Test-QemuGuestAgent -Endpoint pipe:nowhere, (New-Endpoint) -ErrorAction Stop | Should -Be $false, $true
        { Test-QemuGuestAgent -Endpoint 'tcp://' -ErrorAction Stop } | Should -Throw -ErrorId 'EndpointMalformed,*'
        Get-QemuGuestAgent | Should -BeNullOrEmpty
    }

    It '-Detailed tells how each is' {
        $session = Connect-QemuGuestAgent (New-Endpoint 'blocked=guest-exec,guest-get-users') -Name vm
        $health = Test-QemuGuestAgent $session -Detailed
        $health.PSTypeNames | Should -Contain 'QemuGuestAgent.AgentHealth'
        $health.PSGuestName | Should -Be 'vm'
        $health.Verdict | Should -Be 'Ready'
        $health.IsReady | Should -BeTrue
        $health.RoundTrip | Should -BeGreaterThan ([timespan]::Zero)
        $health.AgentVersion | Should -Be '11.1.0'
        $health.DisabledCommands | Should -Be 'guest-exec', 'guest-get-users'
        ($health | Out-String -Width 100) | Should -Match 'vm\s+Ready\s+[\d.,]+ ms\s+11\.1\.0\s+disabled: guest-exec'
        $health | Get-QemuGuestTime | Should -Not -BeNullOrEmpty
    }

    It '-Detailed says <Verdict>' -ForEach @(
        @{ Verdict = 'NoListener'; Endpoint = 'pipe:nowhere' }
        @{ Verdict = 'Silent'; Endpoint = 'embedded:?slow=guest-sync-delimited:600000' }
        @{ Verdict = 'Busy'; Endpoint = 'embedded:?slow=guest-ping:600000' }
    ) {
        $health = Test-QemuGuestAgent -Endpoint $Endpoint -Detailed -TimeoutSeconds 0.5
        $health.Verdict | Should -Be $Verdict
        $health.IsReady | Should -BeFalse
        $health.Reason | Should -Not -BeNullOrEmpty
        $health.RecommendedAction | Should -Not -BeNullOrEmpty
    }

    It '-Detailed says Closed and Frozen' {
        $session = Connect-QemuGuestAgent (New-Endpoint)
        Suspend-QemuGuestFileSystem $session -Confirm:$false
        $health = Test-QemuGuestAgent $session -Detailed
        $health.Verdict | Should -Be 'Frozen'
        $health.RecommendedAction | Should -BeLike '*Resume-QemuGuestFileSystem*'
        Resume-QemuGuestFileSystem $session
        Disconnect-QemuGuestAgent $session
        (Test-QemuGuestAgent $session -Detailed).Verdict | Should -Be 'Closed'
    }
}

Describe 'Wait-QemuGuestAgent' {
    AfterEach { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It 'writes sessions that are ready, and opens endpoints that are' {
        $session = Connect-QemuGuestAgent (New-Endpoint)
        (Wait-QemuGuestAgent $session).Id | Should -Be $session.Id
        $opened = Wait-QemuGuestAgent -Endpoint ($at = New-Endpoint)
        $opened | Should -BeOfType QemuGuestAgent.AgentSession
        (Get-QemuGuestAgent).Endpoint | Should -Contain $at
    }

    It 'writes and numbers them in the order given, whichever is ready first' {
        $slow, $fast = Wait-QemuGuestAgent -Endpoint (New-Endpoint 'delay=100&host-name=slow'), /nowhere/vm.sock, (New-Endpoint 'host-name=fast') `
            -TimeoutSeconds 15 -ErrorAction SilentlyContinue -ErrorVariable failed
        ($slow, $fast | Get-QemuGuest).HostName | Sort-Object | Should -Be 'fast', 'slow'
        (Get-QemuGuest $slow).HostName | Should -Be 'slow'
        $slow.Id | Should -BeLessThan $fast.Id
        $failed | Should -HaveCount 1
        (Wait-QemuGuestAgent $slow, $fast).Id | Should -Be $slow.Id, $fast.Id
    }

    It 'waits for a socket that is not there yet' @NeedsUnixSockets {
        $path = Join-Path $TestDrive 'late.sock'
        $shell = [powershell]::Create().AddScript('param($m, $p) Import-Module $m; (Wait-QemuGuestAgent -Endpoint $p -TimeoutSeconds 60).State').AddArgument($ModulePath).AddArgument($path)
        $waiting = $shell.BeginInvoke()
        $agent = [Activator]::CreateInstance(
            ([AppDomain]::CurrentDomain.GetAssemblies() | Where-Object { $_.GetName().Name -eq 'QemuGuestAgent.EmbeddedAgent' } |
                Select-Object -First 1).GetType('QemuGuestAgent.EmbeddedAgent.EmbeddedGuestAgent'), @(, $null))
        $listener = [System.Net.Sockets.Socket]::new('Unix', 'Stream', 'Unspecified')
        $listener.Bind([System.Net.Sockets.UnixDomainSocketEndPoint]::new($path))
        $listener.Listen(5)
        try {
            $accepting = $listener.AcceptAsync()
            $accepting.Wait(60000) | Should -BeTrue
            $null = $agent.ServeAsync([System.Net.Sockets.NetworkStream]::new($accepting.Result, $true), [Threading.CancellationToken]::None)
            $shell.EndInvoke($waiting) | Should -Be 'Ready'
        }
        finally {
            $listener.Dispose()
            $shell.Dispose()
        }
    }

    It 'says what was the last of it when the time is over' {
        { Wait-QemuGuestAgent -Endpoint pipe:nowhere -TimeoutSeconds 0.5 -ErrorAction Stop } | Should -Throw -ErrorId 'AgentNotReady,*'
        { Wait-QemuGuestAgent -Endpoint pipe:nowhere -TimeoutSeconds 0.5 -ErrorAction Stop } | Should -Throw '*does not exist*'
    }

    It 'ends on Ctrl+C' {
        $shell = [powershell]::Create().AddScript('param($m) Import-Module $m; "begun"; Wait-QemuGuestAgent -Endpoint pipe:nowhere -TimeoutSeconds 0').AddArgument($ModulePath)
        $output = [System.Management.Automation.PSDataCollection[psobject]]::new()
        $null = $shell.BeginInvoke([System.Management.Automation.PSDataCollection[psobject]]::new(), $output)
        Wait-Until { $output.Count -gt 0 }
        $shell.Stop()
        $shell.InvocationStateInfo.State | Should -Be 'Stopped'
        $shell.Dispose()
    }
}
