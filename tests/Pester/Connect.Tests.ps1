BeforeAll { . $PSScriptRoot/Common.ps1 }

Describe 'Connect-QemuGuestAgent' {
    AfterEach { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It 'opens a session that is ready' {
        $session = Connect-QemuGuestAgent embedded:
        $session | Should -BeOfType QemuGuestAgent.AgentSession
        $session.State | Should -Be 'Ready'
        $session.AgentVersion | Should -Be '11.1.0'
        $session.EchoesRequestIds | Should -BeTrue
        $session.Name | Should -Be 'embedded'
        "$session" | Should -Be 'embedded'
    }

    It 'opens many at the same time, each named after its endpoint' {
        $sessions = Connect-QemuGuestAgent embedded:web1, embedded:web2, embedded:web3
        $sessions.Name | Should -Be 'web1', 'web2', 'web3'
        ($sessions.Id | Sort-Object -Unique).Count | Should -Be 3
    }

    It 'writes them in the order of their endpoints, whichever answers first' {
        $slow, $fast = Connect-QemuGuestAgent 'embedded:?delay=100', pipe:nowhere, embedded: -Name slow, none, fast -ErrorAction SilentlyContinue
        $slow.Name, $fast.Name | Should -Be 'slow', 'fast'
        $slow.Id | Should -BeLessThan $fast.Id
    }

    It 'takes names, one for each endpoint' {
        (Connect-QemuGuestAgent embedded:, embedded: -Name db, mail).Name | Sort-Object | Should -Be 'db', 'mail'
        { Connect-QemuGuestAgent embedded:, embedded: -Name one -ErrorAction Stop } | Should -Throw -ErrorId 'SessionNamesMismatch,*'
    }

    It 'takes endpoints and names by pipeline, as text and by property name' {
        ('embedded:a', 'embedded:b' | Connect-QemuGuestAgent).Name | Sort-Object | Should -Be 'a', 'b'
        $objects = [pscustomobject]@{ Name = 'first'; Endpoint = 'embedded:' }, [pscustomobject]@{ Name = 'second'; Endpoint = 'embedded:' }
        ($objects | Connect-QemuGuestAgent).Name | Sort-Object | Should -Be 'first', 'second'
    }

    It 'takes agents without request ids and without guest-sync-delimited' {
        $session = Connect-QemuGuestAgent 'embedded:?ids=false&delimited-sync=false'
        $session.EchoesRequestIds | Should -BeFalse
        $session.State | Should -Be 'Ready'
        (Sync-QemuGuestAgent $session).IsDelimited | Should -BeFalse
    }

    It 'reports a failing endpoint and goes on with the others' {
        $sessions = Connect-QemuGuestAgent embedded:one, pipe:nowhere, embedded:two -ErrorVariable failed -ErrorAction SilentlyContinue
        $sessions.Name | Sort-Object | Should -Be 'one', 'two'
        $failed | Should -HaveCount 1
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'EndpointNotFound,*'
        $failed[0].TargetObject | Should -Be 'pipe:nowhere'
    }

    It 'reports a path of a drive that is not there and goes on with the others' {
        $session = Connect-QemuGuestAgent unix:nosuchdrive:/vm.sock, embedded:two -ErrorVariable failed -ErrorAction SilentlyContinue
        $session.Name | Should -Be 'two'
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'EndpointMalformed,*'
        $failed[0].TargetObject | Should -Be 'unix:nosuchdrive:/vm.sock'
    }

    It 'resolves a relative path at the location of the shell' {
        Push-Location $TestDrive
        try {
            Connect-QemuGuestAgent ./vm.sock -ErrorVariable failed -ErrorAction SilentlyContinue
            $failed[0].Exception.Message | Should -BeLike "*unix:$TestDrive*vm.sock*"
        }
        finally {
            Pop-Location
        }
    }

    It 'warns of a port that is open to others, and not of a loopback one' {
        Connect-QemuGuestAgent tcp://192.0.2.1:1 -TimeoutSeconds 0.05 -WarningVariable warned -WarningAction SilentlyContinue -ErrorAction SilentlyContinue
        "$warned" | Should -BeLike '*neither authenticated nor encrypted*'
        Connect-QemuGuestAgent -HostName 127.0.0.1 -Port 1 -WarningVariable quiet -ErrorAction SilentlyContinue
        $quiet | Should -BeNullOrEmpty
    }

    It 'tells the steps with -Verbose and the wire with -Debug, and nothing without' {
        $steps = Connect-QemuGuestAgent embedded: -Verbose 4>&1 | Where-Object { $_ -is [System.Management.Automation.VerboseRecord] }
        "$steps" | Should -BeLike '*Connecting to*Synchronising*In sync with agent 11.1.0*'
        $wire = & { $DebugPreference = 'Continue'; Connect-QemuGuestAgent embedded: 5>&1 } |
            Where-Object { $_ -is [System.Management.Automation.DebugRecord] }
        "$($wire[0])" | Should -BeLike 'embedded -> <0xFF>{"execute":"guest-sync-delimited","arguments":{"id":*}}'
        @(Connect-QemuGuestAgent embedded: *>&1) | Should -HaveCount 1
    }
}

Describe 'What is no agent, or does not answer' {
    BeforeAll {
        # A server that answers what it is given to answer, then closes, stays silent, or echoes.
        function Start-Server([string] $Behaviour) {
            $listener = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, 0)
            $listener.Start()
            $server = [powershell]::Create().AddScript({
                param($listener, $behaviour)
                $client = $listener.AcceptSocket()
                $buffer = [byte[]]::new(4096)
                while (($count = $client.Receive($buffer)) -gt 0) {
                    switch ($behaviour) {
                        'Http' {
                            $null = $client.Send([Text.Encoding]::ASCII.GetBytes("HTTP/1.1 400 Bad Request`r`nConnection: close`r`n`r`n"))
                            $client.Close()
                            return
                        }
                        'Echo' { $null = $client.Send($buffer, $count, 'None') }
                        'Close' { $client.Close(); return }
                    }
                }
            }).AddArgument($listener).AddArgument($Behaviour)
            $null = $server.BeginInvoke()
            [pscustomobject]@{ Listener = $listener; Server = $server }
        }
    }

    It '<Behaviour> is <ErrorId>' -ForEach @(
        @{ Behaviour = 'Http'; ErrorId = 'NotAnAgent' }
        @{ Behaviour = 'Echo'; ErrorId = 'EndpointEchoes' }
        @{ Behaviour = 'Silent'; ErrorId = 'AgentSilent' }
        @{ Behaviour = 'Close'; ErrorId = 'ConnectionLost' }
    ) {
        $server = Start-Server $Behaviour
        try {
            Connect-QemuGuestAgent "tcp://$($server.Listener.LocalEndpoint)" -TimeoutSeconds 0.5 -ErrorVariable failed -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
            $failed[0].FullyQualifiedErrorId | Should -BeLike "$ErrorId,*"
            $failed[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        }
        finally {
            $server.Listener.Stop()
            $server.Server.Stop()
            $server.Server.Dispose()
        }
    }

    It '<Endpoint> is <ErrorId>' -ForEach @(
        @{ Endpoint = 'foo:bar'; ErrorId = 'EndpointKindUnknown' }
        @{ Endpoint = 'tcp://host'; ErrorId = 'EndpointMalformed' }
        @{ Endpoint = 'tcp://host:99999'; ErrorId = 'EndpointMalformed' }
        @{ Endpoint = 'embedded:?nonsense=1'; ErrorId = 'EndpointMalformed' }
        @{ Endpoint = 'unix:/' + 'x' * 200; ErrorId = 'EndpointMalformed' }
        @{ Endpoint = 'tcp://127.0.0.1:1'; ErrorId = 'EndpointRefused' }
    ) {
        Connect-QemuGuestAgent $Endpoint -ErrorVariable failed -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $failed[0].FullyQualifiedErrorId | Should -BeLike "$ErrorId,*"
        $failed[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
    }
}
