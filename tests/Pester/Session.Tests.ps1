BeforeAll { . $PSScriptRoot/Common.ps1 }

Describe 'Sessions' {
    AfterEach { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It 'Get-QemuGuestAgent finds them by name, wildcard and number' {
        $null = Connect-QemuGuestAgent embedded:, embedded:, embedded: -Name web1, web2, db1
        (Get-QemuGuestAgent).Name | Sort-Object | Should -Be 'db1', 'web1', 'web2'
        (Get-QemuGuestAgent web*).Name | Sort-Object | Should -Be 'web1', 'web2'
        $db = Get-QemuGuestAgent DB1
        (Get-QemuGuestAgent -Id $db.Id).Name | Should -Be 'db1'
        Get-QemuGuestAgent nothing* | Should -BeNullOrEmpty
        { Get-QemuGuestAgent nothing -ErrorAction Stop } | Should -Throw -ErrorId 'SessionNotFound,*'
        { Get-QemuGuestAgent -Id 999999 -ErrorAction Stop } | Should -Throw -ErrorId 'SessionNotFound,*'
    }

    It 'Disconnect-QemuGuestAgent closes by session, pipeline and name, and says nothing' {
        $sessions = Connect-QemuGuestAgent embedded:, embedded:, embedded: -Name a, b, c
        Disconnect-QemuGuestAgent ($sessions | Where-Object Name -EQ a) | Should -BeNullOrEmpty
        $sessions | Where-Object Name -EQ b | Disconnect-QemuGuestAgent
        Disconnect-QemuGuestAgent -Name c
        Get-QemuGuestAgent | Should -BeNullOrEmpty
        $sessions.State | Sort-Object -Unique | Should -Be 'Closed'
        { Disconnect-QemuGuestAgent -Name c -ErrorAction Stop } | Should -Throw -ErrorId 'SessionNotFound,*'
        Disconnect-QemuGuestAgent $sessions[0]
    }

    It 'a name is completed so that it finds its session' {
        $session = Connect-QemuGuestAgent embedded: -Name "we'b[2]"
        $text = (TabExpansion2 'Get-QemuGuestAgent we').CompletionMatches.CompletionText
        & ([scriptblock]::Create("Get-QemuGuestAgent $text")) | Should -Be $session
    }

    It 'names are found in any case in Turkish too' {
        $culture = [cultureinfo]::CurrentCulture
        try {
            [cultureinfo]::CurrentCulture = 'tr-TR'
            $session = Connect-QemuGuestAgent embedded: -Name mail
            Get-QemuGuestAgent MAIL | Should -Be $session
            (Get-QemuGuestAgentCommand $session -Name GUEST-PING).Name | Should -Be guest-ping
        }
        finally {
            [cultureinfo]::CurrentCulture = $culture
        }
    }

    It 'what was had by a session stands for it with Sync and Disconnect' {
        $session = Connect-QemuGuestAgent embedded: -Name vm
        (Test-QemuGuestAgent $session -Detailed | Sync-QemuGuestAgent).PSGuestName | Should -Be vm
        Test-QemuGuestAgent $session -Detailed | Disconnect-QemuGuestAgent
        $session.State | Should -Be Closed
    }

    It 'a closed session says so, with the remedy' {
        $session = Connect-QemuGuestAgent embedded:
        Disconnect-QemuGuestAgent $session
        { Invoke-QemuGuestAgentCommand $session guest-ping -ErrorAction Stop } | Should -Throw -ErrorId 'SessionClosed,*'
        { Sync-QemuGuestAgent $session -ErrorAction Stop } | Should -Throw -ErrorId 'SessionClosed,*'
    }

    It 'Sync-QemuGuestAgent tells what it did' {
        $session = Connect-QemuGuestAgent embedded: -Name vm
        $result = Sync-QemuGuestAgent $session
        $result | Should -BeOfType QemuGuestAgent.AgentSyncResult
        $result.PSGuestName | Should -Be 'vm'
        $result.IsDelimited | Should -BeTrue
        $result.RepliesDiscarded | Should -Be 1
        $result.Id | Should -BeGreaterOrEqual 0
        ($session | Sync-QemuGuestAgent).Id | Should -Not -Be $result.Id
    }

    It 'has table views that fit 80 columns' {
        $session = Connect-QemuGuestAgent embedded: -Name vm
        $lines = ($session | Out-String -Width 80) -split '\r?\n'
        $lines[1] | Should -Match '^\s*Id\s+Name\s+State\s+Agent\s+Endpoint'
        $lines[3] | Should -Match '^\s*\d+\s+vm\s+Ready\s+11\.1\.0\s+embedded:'
        $table = Sync-QemuGuestAgent $session | Out-String -Width 80
        $table | Should -Match 'Guest\s+Id\s+Discarded\s+Bytes\s+Duration'
    }

    It 'works from any runspace' {
        $session = Connect-QemuGuestAgent 'embedded:?host-name=shared'
        $module = $ModulePath
        $results = 1..8 | ForEach-Object -Parallel {
            Import-Module $using:module
            (Invoke-QemuGuestAgentCommand -Session $using:session guest-sync @{ id = $_ })
        }
        $results | Sort-Object | Should -Be (1..8)
        $session.State | Should -Be 'Ready'
    }

    It 'closes with the runspace that opened it, and is listed only there' {
        $other = [powershell]::Create([runspacefactory]::CreateRunspace())
        $other.Runspace.Open()
        $session = $other.AddScript('param($m) Import-Module $m; Connect-QemuGuestAgent embedded: -Name inner').AddArgument($ModulePath).Invoke()[0]
        $session.State | Should -Be 'Ready'
        Get-QemuGuestAgent | Should -BeNullOrEmpty
        $other.Runspace.Close()
        $session.State | Should -Be 'Closed'
        $other.Dispose()
    }

    It 'closes on Remove-Module' {
        $other = [powershell]::Create()
        $session = $other.AddScript('param($m) Import-Module $m; Connect-QemuGuestAgent embedded:; Remove-Module QemuGuestAgent').AddArgument($ModulePath).Invoke()[0]
        $session.State | Should -Be 'Closed'
        $other.Dispose()
    }

    It '500 of them answer over the pipeline' {
        $sessions = 1..500 | ForEach-Object { "embedded:fleet$($_)?host-name=host$_" } | Connect-QemuGuestAgent -ThrottleLimit 64
        $sessions | Should -HaveCount 500
        $answers = $sessions | Invoke-QemuGuestAgentCommand guest-get-host-name -ThrottleLimit 64
        $answers | Should -HaveCount 500
        $answers | ForEach-Object { $_.'host-name' | Should -Be ($_.PSGuestName -replace 'fleet', 'host') }
    }
}
