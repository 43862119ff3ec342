BeforeAll { . $PSScriptRoot/Common.ps1 }

Describe 'Loading' {
    It 'has a manifest that PowerShell takes' {
        $manifest = Test-ModuleManifest (Join-Path (Split-Path (Split-Path (Split-Path $ModulePath))) 'QemuGuestAgent.psd1')
        $manifest.ExportedCmdlets.Keys | Should -Contain 'Connect-QemuGuestAgent'
    }

    It 'loads twice, and again after Remove-Module' {
        Invoke-Fresh "Import-Module '$ModulePath'; Import-Module '$ModulePath' -Force; Remove-Module QemuGuestAgent; Import-Module '$ModulePath'
            (Connect-QemuGuestAgent embedded:).State" | Should -Be 'Ready'
    }

    It 'loads in two runspaces' {
        $shells = 1..2 | ForEach-Object { [powershell]::Create().AddScript('param($m) Import-Module $m; (Connect-QemuGuestAgent embedded:).State').AddArgument($ModulePath) }
        ($shells | ForEach-Object { $_.BeginInvoke() } | ForEach-Object { $_.AsyncWaitHandle.WaitOne(30000) }) | Should -Be $true, $true
        $shells | ForEach-Object { $_.HadErrors | Should -BeFalse; $_.Dispose() }
    }

    It 'loads and works under Constrained Language' {
        Invoke-Fresh "`$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'; Import-Module '$ModulePath'
            (Invoke-QemuGuestAgentCommand -Endpoint embedded: guest-get-host-name).'host-name'; `$ExecutionContext.SessionState.LanguageMode" |
            Should -Be 'embedded', 'ConstrainedLanguage'
    }

    It 'brings its own System.IO.Pipelines beside one that is loaded already' {
        $lines = Invoke-Fresh "`$null = [Reflection.Assembly]::Load('System.IO.Pipelines'); Import-Module '$ModulePath'
            (Connect-QemuGuestAgent embedded:).State
            [AppDomain]::CurrentDomain.GetAssemblies() | Where-Object { `$_.GetName().Name -eq 'System.IO.Pipelines' } | ForEach-Object Location"
        $lines[0] | Should -Be 'Ready'
        @($lines | Where-Object { $_ -like '*System.IO.Pipelines.dll' }) | Should -HaveCount 2
        $lines -like '*Dependencies*' | Should -HaveCount 1
    }

    It 'reads nothing but its own files on import' {
        # Core and its libraries are not even loaded before the first cmdlet needs them. The runtime loads them ahead, in the
        # background, where it has a profile of earlier runs and as many processors as this.
        $before, $env:DOTNET_MultiCoreJitMinNumCpus = $env:DOTNET_MultiCoreJitMinNumCpus, '7fffffff'
        try {
            Invoke-Fresh "Import-Module '$ModulePath'; [AppDomain]::CurrentDomain.GetAssemblies() | ForEach-Object { `$_.GetName().Name } | Where-Object { `$_ -like 'QemuGuestAgent.*' }" |
                Should -BeNullOrEmpty
        }
        finally { $env:DOTNET_MultiCoreJitMinNumCpus = $before }
    }

    It 'survives a trip over remoting' {
        $back = Start-Job -ScriptBlock {
            Import-Module $using:ModulePath
            $session = Connect-QemuGuestAgent embedded: -Name far
            $session
            Invoke-QemuGuestAgentCommand $session guest-get-osinfo
        } | Receive-Job -Wait -AutoRemoveJob
        $back[0].Name | Should -Be 'far'
        "$($back[0].State)" | Should -Be 'Ready'
        ($back[0] | Format-Table | Out-String) | Should -Match 'far\s+Ready'
        $back[1].PSGuestName | Should -Be 'far'
        $back[1].id | Should -Be 'debian'
    }
}

Describe 'Completion' {
    BeforeAll {
        $session = Connect-QemuGuestAgent embedded:, 'embedded:?blocked=guest-exec' -Name web1, 'two words'
        function Complete([string] $Line) { (TabExpansion2 $Line $Line.Length).CompletionMatches }
    }
    AfterAll { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It 'completes -Command from what the agents said' {
        (Complete 'Invoke-QemuGuestAgentCommand $session guest-get-os').CompletionText | Should -Contain 'guest-get-osinfo'
        (Complete '$session | Invoke-QemuGuestAgentCommand -Command guest-get-os').CompletionText | Should -Contain 'guest-get-osinfo'
        (Complete 'Invoke-QemuGuestAgentCommand -Endpoint x guest-file-').CompletionText | Should -Contain 'guest-file-open'
    }

    It 'completes the names of sessions, quoted where they need it' {
        (Complete 'Get-QemuGuestAgent w').CompletionText | Should -Be 'web1'
        (Complete 'Disconnect-QemuGuestAgent -Name two').CompletionText | Should -Be "'two words'"
        (Complete 'Get-QemuGuestAgent [').CompletionText | Should -Not -Contain 'web1'
    }
}
