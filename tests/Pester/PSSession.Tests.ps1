BeforeDiscovery { . $PSScriptRoot/Common.ps1 }
BeforeAll { . $PSScriptRoot/Common.ps1 }

Describe 'PowerShell sessions' {
    AfterEach { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It 'need a PowerShell in a Windows guest' {
        $session = Connect-QemuGuestAgent 'embedded:?os=windows'
        { New-QemuGuestPSSession $session -ErrorAction Stop } | Should -Throw -ErrorId 'GuestPowerShellUnusable,*'
    }

    It 'are refused where the policy forbids to run programs' {
        $session = Connect-QemuGuestAgent 'embedded:?blocked=guest-exec'
        { New-QemuGuestPSSession $session -ErrorAction Stop } | Should -Throw -ErrorId 'CommandDisabled,*'
    }

    It 'have as many names as guests' {
        $session = Connect-QemuGuestAgent embedded:
        { New-QemuGuestPSSession $session -Name a, b } | Should -Throw -ErrorId 'SessionNamesMismatch,*'
    }

    It 'are not opened with -WhatIf' {
        New-QemuGuestPSSession -Endpoint /no/such/socket -WhatIf | Should -BeNullOrEmpty
    }
}

Describe 'PowerShell sessions in the guest of the agent of <AgentName>' @NeedsRealAgent -ForEach $RealAgents {
    BeforeAll {
        $script:agent = Start-RealAgent $AgentPath
        $folder = $agent.Folder
        $script:vm = Connect-QemuGuestAgent $agent.Endpoint -Name web1
        $script:session = New-QemuGuestPSSession $vm -ErrorAction Stop

        # A command that goes on in the guest, on a thread of its own.
        function Start-LongCommand($Session) {
            $shell = [powershell]::Create().AddScript('param($session) Invoke-Command -Session $session { 1; Start-Sleep 1000 }').AddArgument($Session)
            $output = [Management.Automation.PSDataCollection[psobject]]::new()
            $nothing = [Management.Automation.PSDataCollection[psobject]]::new()
            $nothing.Complete()
            $running = $shell.BeginInvoke($nothing, $output)
            Wait-Until { $output.Count -gt 0 }
            @{ Shell = $shell; Running = $running }
        }
    }
    AfterAll {
        $session | Remove-PSSession
        Get-QemuGuestAgent | Disconnect-QemuGuestAgent
        Stop-RealAgent $agent
    }

    It 'are real ones, named after the guest' {
        $session | Should -BeOfType System.Management.Automation.Runspaces.PSSession
        $session.ComputerName | Should -Be web1
        $session.Name | Should -Be web1
        "$($session.State) $($session.Availability)" | Should -Be 'Opened Available'
        Get-PSSession -Name web1 | Should -Be $session
    }

    It 'bring objects, and every record on its own stream' {
        $job = Invoke-Command $session -AsJob {
            Get-Item /etc/hostname
            Write-Warning 'careful'
            Write-Error 'oops' -ErrorId Oops
            Write-Verbose 'more' -Verbose
            Write-Debug 'deep' -Debug
            Write-Information 'told'
            Write-Progress 'half' -PercentComplete 50
            [pscustomobject]@{ Number = 5; Nested = @{ Deep = 'x' } }
        }
        $null = Wait-Job $job
        $records = $job.ChildJobs[0]
        $records.Output[0].pstypenames[0] | Should -Be 'Deserialized.System.IO.FileInfo'
        "$($records.Output[0].FullName) $($records.Output[0].PSComputerName)" | Should -Be '/etc/hostname web1'
        $records.Output[1].Nested.Deep | Should -Be x
        "$($records.Warning) $($records.Verbose) $($records.Debug) $($records.Information) $($records.Progress.Activity)" | Should -Be 'careful more deep told half'
        $records.Error[0].FullyQualifiedErrorId | Should -Be Oops
        Remove-Job $job
    }

    It 'keep their state, take $using:, arguments and input' {
        $mine = 'ünï 漢字 😀'
        Invoke-Command $session { $kept = $using:mine + $args[0] } -ArgumentList '!'
        Invoke-Command $session { $kept } | Should -Be 'ünï 漢字 😀!'
        1..5 | Invoke-Command $session { begin { $sum = 0 } process { $sum += $_ } end { $sum } } | Should -Be 15
        { Invoke-Command $session { throw 'thrown there' } } | Should -Throw 'thrown there'
        Invoke-Command $session { Read-Host } -ErrorVariable asked -ErrorAction SilentlyContinue
        Invoke-Command $session { 'still there' } | Should -Be 'still there'
    }

    It 'carry 5 MB there and back' {
        $bytes = [byte[]]::new(5MB)
        [Random]::new(1).NextBytes($bytes)
        $back = Invoke-Command $session { param([byte[]] $bytes) , $bytes } -ArgumentList (, $bytes)
        [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([byte[]] $back)) |
            Should -Be ([Convert]::ToHexString([Security.Cryptography.SHA256]::HashData($bytes)))
    }

    It 'copy files both ways' {
        $bytes = [byte[]]::new(1MB + 17)
        [Random]::new(2).NextBytes($bytes)
        $source = Join-Path $folder 'from häre'
        [IO.File]::WriteAllBytes($source, $bytes)
        Copy-Item $source "$folder/there" -ToSession $session
        Copy-Item "$folder/there" "$folder/back" -FromSession $session
        (Get-FileHash $source, "$folder/there", "$folder/back").Hash | Select-Object -Unique | Should -HaveCount 1
    }

    It 'run jobs' {
        $job = Invoke-Command $session { 1..3 } -AsJob
        $job | Receive-Job -Wait | Should -Be 1, 2, 3
        "$($job.State) $($job.Location)" | Should -Be 'Completed web1'
        Remove-Job $job
    }

    It 'are imported' {
        $module = Import-PSSession $session -CommandName Get-Uptime -Prefix Guest -AllowClobber
        Get-GuestUptime | Should -BeOfType timespan
        Remove-Module $module
    }

    It 'stop what they run, and go on' {
        $long = Start-LongCommand $session
        $long.Shell.Stop()
        $long.Shell.InvocationStateInfo.State | Should -Be Stopped
        $long.Shell.Dispose()
        Invoke-Command $session { 'after' } | Should -Be after
    }

    It 'stop a copy that is on its way, and go on' {
        $big = Join-Path $folder big
        [IO.File]::WriteAllBytes($big, [byte[]]::new(64MB))
        foreach ($i in 1..3) {
            $there = "$folder/there$i"
            $shell = [powershell]::Create().AddCommand('Copy-Item').AddParameters(@{ Path = $big; Destination = $there; ToSession = $session })
            $null = $shell.BeginInvoke()
            Wait-Until { [IO.File]::Exists($there) -and [IO.FileInfo]::new($there).Length -gt 0 }
            $shell.Stop()
            $shell.InvocationStateInfo.State | Should -Be Stopped
            $shell.Dispose()
            [IO.FileInfo]::new($there).Length | Should -BeLessThan 64MB
            Invoke-Command $session { 'after' } | Should -Be after
        }
    }

    It 'go on beside other commands of the same channel' {
        $job = Invoke-Command $session { 'x' * 5MB } -AsJob
        while ($job.State -eq 'Running') { (Get-QemuGuestTime $vm).PSGuestName | Should -Be web1 }
        (Receive-Job $job).Length | Should -Be 5MB
        Remove-Job $job
    }

    It 'run as another user' -Skip:(-not (Test-PwshForAll)) -Tag 'it needs root, and a PowerShell that all users may run' {
        $there = New-QemuGuestPSSession $vm -UserName nobody -Name other
        $there.Name | Should -Be other
        Invoke-Command $there { "$(id -un) $env:USER $PWD" } | Should -Be 'nobody nobody /'
        Remove-PSSession $there
        { New-QemuGuestPSSession $vm -UserName 'no such user' -ErrorAction Stop } | Should -Throw '*no such user*' -ErrorId 'InteractiveProcessEnded,*'
    }

    It 'need a PowerShell in the guest' {
        { New-QemuGuestPSSession $vm -ShellPath /no/such/pwsh -ErrorAction Stop } | Should -Throw '*/no/such/pwsh*not found*' -ErrorId 'InteractiveProcessEnded,*'
        $other = Join-Path $folder 'no PowerShell'
        Set-Content $other "#!/bin/sh`nexec sleep 1000"
        chmod +x $other
        { New-QemuGuestPSSession $vm -ShellPath $other -TimeoutSeconds 1 -ErrorAction Stop } | Should -Throw -ErrorId 'RemotingNotOpened,*'
        Wait-Until { @(Get-Leftover).Count -eq 2 }
    }

    It 'stop with Ctrl+C while they are opened, and leave nothing' {
        $other = Join-Path $folder 'silent'
        Set-Content $other "#!/bin/sh`necho `$`$ >'$folder/silent.pid'`nexec sleep 1000"
        chmod +x $other
        $shell = [powershell]::Create().AddScript('param($module, $vm, $other) Import-Module $module; New-QemuGuestPSSession $vm -ShellPath $other').AddArgument($ModulePath).AddArgument($vm).AddArgument($other)
        $running = $shell.BeginInvoke()
        Wait-Until { Test-Path "$folder/silent.pid" -PathType Leaf }
        $shell.Stop()
        $shell.Dispose()
        @(Get-Leftover) | Should -HaveCount 2
    }

    It 'leave nothing when they are removed' {
        $there = New-QemuGuestPSSession $vm
        $id = Invoke-Command $there { $PID }
        @(Get-Leftover) | Should -HaveCount 4
        Remove-PSSession $there
        @(Get-Leftover) | Should -HaveCount 2
        Test-Path "/proc/$id" | Should -BeFalse
    }

    It 'break with a clear reason when the PowerShell there is killed' {
        $there = New-QemuGuestPSSession $vm
        $id = Invoke-Command $there { $PID }
        $long = Start-LongCommand $there
        kill -KILL $id
        $long.Running.AsyncWaitHandle.WaitOne(30000) | Should -BeTrue
        "$($long.Shell.Streams.Error)" | Should -BeLike "'pwsh' in the guest*ended with exit code 137*"
        # PowerShell ends the commands first.
        Wait-Until { $there.State -eq 'Broken' }
        Remove-PSSession $there
        @(Get-Leftover) | Should -HaveCount 2
    }

    It 'end with the session below them' {
        $other = New-QemuGuestPSSession $vm
        Disconnect-QemuGuestAgent $vm
        Wait-Until { $other.State -eq 'Broken' }
        Get-Leftover | Should -BeNullOrEmpty
        $other, $session | Remove-PSSession
    }

    It 'end at once where the channel is closed while they end' {
        # Whether it comes to that depends on the guest.
        foreach ($attempt in 1..3) {
            $own = Connect-QemuGuestAgent $agent.Endpoint
            $other = New-QemuGuestPSSession $own
            Invoke-Command $other { exit } -ErrorAction SilentlyContinue
            Disconnect-QemuGuestAgent $own
            # PowerShell itself would give up after a minute.
            Wait-Until { $other.State -in 'Closed', 'Broken' }
            Remove-PSSession $other
        }
        Get-Leftover | Should -BeNullOrEmpty
    }

    It 'close the channel that they have opened' {
        $session = New-QemuGuestPSSession -Endpoint $agent.Endpoint
        Get-QemuGuestAgent | Should -HaveCount 1
        Invoke-Command $session { 7 } | Should -Be 7
        Remove-PSSession $session
        Wait-Until { -not (Get-QemuGuestAgent) }
        Get-Leftover | Should -BeNullOrEmpty
    }

    It 'are entered at a prompt' -Skip:(-not (Get-Command tmux -CommandType Application -ErrorAction Ignore)) -Tag 'it needs tmux' {
        function Send-Line([string] $Text, [string] $Expected) {
            if ($Text) { tmux -L "pester$PID" send-keys -l -- $Text; tmux -L "pester$PID" send-keys Enter }
            Wait-Until { (tmux -L "pester$PID" capture-pane -p | Out-String) -match $Expected }
        }
        tmux -L "pester$PID" new-session -d -x 150 -y 50 "'$pwsh' -NoProfile -NoLogo"
        try {
            Send-Line '' '(?m)^PS .*>'
            Send-Line "Import-Module '$(Split-Path $ModulePath -Parent)/../../QemuGuestAgent.psd1'; 'imp' + 'orted'" '(?m)^imported'
            Send-Line "`$there = New-QemuGuestPSSession -Endpoint '$($agent.Endpoint)'; 'op' + `$there.State" '(?m)^opOpened'
            Send-Line 'Enter-PSSession $there' '(?m)^\[qga\]: PS .*>'
            Send-Line '"a" + "b" + $PSVersionTable.PSEdition' '(?m)^abCore'
            Send-Line '"got " + (Read-Host "na`me")' 'name:'
            Send-Line 'web' '(?m)^got web'
            Send-Line 'Start-Sleep 1000' 'Sleep 1000'
            tmux -L "pester$PID" send-keys C-c
            Send-Line '"c" + "d"' '(?m)^cd'
            Send-Line 'exit' '(?m)^PS .*>\s*\z'
            Send-Line '"back " + $there.State' '(?m)^back Opened'
            Send-Line 'Remove-PSSession $there; "re" + "moved"' '(?m)^removed'
        }
        finally { tmux -L "pester$PID" kill-server }
    }

    It 'break with a clear reason when the agent is killed, and the PowerShell there ends' {
        $session = New-QemuGuestPSSession -Endpoint $agent.Endpoint
        $id = Invoke-Command $session { $PID }
        $long = Start-LongCommand $session
        $agent.Process.Kill()
        $long.Running.AsyncWaitHandle.WaitOne(30000) | Should -BeTrue
        "$($long.Shell.Streams.Error)" | Should -BeLike '*connection to*was lost*'
        Wait-Until { -not (Test-Path "/proc/$id") }
        Remove-PSSession $session
    }
}

Describe 'A PowerShell session by the agent of <AgentName>, behind a serial port' @NeedsSerialAgent -ForEach $RealAgents {
    BeforeAll { $script:agent = Start-RealAgent $AgentPath -Serial }
    AfterAll { Stop-RealAgent $agent }

    # After a signal it waits for what the signal does: it must not come to its own end.
    It 'ends with a host that exits, however it does: <_>' -ForEach @(
        'exit', '[Environment]::Exit(0)', 'kill -TERM $PID; Wait-Event', 'kill -HUP $PID; Wait-Event'
    ) {
        # Where nohup runs the tests, it would ignore SIGHUP too.
        env --default-signal $pwsh -NoProfile -Command "Import-Module '$ModulePath'; `$there = New-QemuGuestPSSession -Endpoint '$($agent.Endpoint)'; Invoke-Command `$there { `$PID }; $_" |
            Set-Variable id
        $id | Should -Match '^\d+$'
        Wait-Until { -not (Test-Path "/proc/$id") }
        Get-Leftover | Should -BeNullOrEmpty
    }
}

Describe 'A PowerShell session by an agent that is started otherwise' @NeedsRealAgent {
    BeforeDiscovery { $canMount = [bool] (Get-Command unshare -CommandType Application -ErrorAction Ignore) -and (unshare --mount echo yes 2>$null) }
    BeforeAll {
        # $Start is what a shell does in the place of "$@", the agent with its arguments.
        function Use-OtherAgent([string] $Start, [scriptblock] $Test) {
            $other = Join-Path $TestDrive 'agent'
            Set-Content $other "#!/bin/sh`nset -- '$RealAgentPath' `"`$@`"`n$Start"
            chmod +x $other
            $agent = Start-RealAgent $other
            try {
                . $Test
            }
            finally {
                Stop-RealAgent $agent
            }
        }
    }

    It 'has a path and a home where the agent has no environment' {
        Use-OtherAgent 'exec env -i "$@"' {
            $session = New-QemuGuestPSSession -Endpoint $agent.Endpoint -ShellPath $pwsh -ErrorAction Stop
            Invoke-Command $session { "$HOME|$(Test-Path $HOME)|$(uname)|漢字" } | Should -Be "$HOME|True|Linux|漢字"
            Remove-PSSession $session
        }
    }

    It 'breaks with a clear reason where the disk is full, and leaves nothing there' -Skip:(-not $canMount) -Tag 'it needs the right to mount' {
        Use-OtherAgent "exec unshare --mount sh -c 'mount -t tmpfs -o size=300k small /var/tmp && exec `"`$@`"' sh `"`$@`"" {
            $session = New-QemuGuestPSSession -Endpoint $agent.Endpoint -ErrorAction Stop
            { Invoke-Command $session { 'x' * 5MB } -ErrorAction Stop } | Should -Throw '*No space left on device*'
            Wait-Until { $session.State -eq 'Broken' }
            Remove-PSSession $session
            Get-ChildItem "/proc/$($agent.Process.Id)/root/var/tmp" -Force -ErrorAction Stop | Should -BeNullOrEmpty
        }
    }
}
