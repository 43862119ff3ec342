BeforeDiscovery { . $PSScriptRoot/Common.ps1 }
BeforeAll { . $PSScriptRoot/Common.ps1 }

Describe 'Programs in the embedded guest' {
    BeforeAll { $session = Connect-QemuGuestAgent embedded: -Name vm1 }
    AfterAll { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It 'does not take a program for a session, or its argument for the program, where sessions come by pipeline' {
        { $session | Invoke-QemuGuestProcess /bin/echo hi } | Should -Throw -ErrorId 'GuestsGivenTwice,*'
        ($session | Invoke-QemuGuestProcess -FilePath echo -ArgumentList hi).StandardOutput | Should -Be "hi`n"
    }

    It 'Invoke writes one result, with output, exit code and guest' {
        $result = Invoke-QemuGuestProcess $session -FilePath echo -ArgumentList hello, 'wide  world'
        $result.psobject.TypeNames | Should -Contain 'QemuGuestAgent.ProcessResult'
        $result.StandardOutput | Should -BeExactly "hello wide  world`n"
        $result.StandardOutputBytes | Should -HaveCount 18
        $result.StandardError | Should -BeExactly ''
        $result.ExitCode | Should -Be 0
        $result.Signal | Should -BeNullOrEmpty
        $result.Truncated | Should -BeFalse
        $result.Duration | Should -BeGreaterThan ([timespan]::Zero)
        $result.Pid | Should -BeOfType long
        $result.PSGuestName | Should -Be 'vm1'
        (Invoke-QemuGuestProcess $session false).ExitCode | Should -Be 1
    }

    It 'takes program and arguments by position, with the session by position, pipeline, name and endpoint' {
        (Invoke-QemuGuestProcess $session echo a '-b' c).StandardOutput | Should -Be "a -b c`n"
        ($session | Invoke-QemuGuestProcess -FilePath echo -ArgumentList a, '-b').StandardOutput | Should -Be "a -b`n"
        ($session | Invoke-QemuGuestProcess -FilePath true).ExitCode | Should -Be 0
        (Invoke-QemuGuestProcess -Session $session echo a).StandardOutput | Should -Be "a`n"
        (Invoke-QemuGuestProcess -Endpoint embedded:once echo a).PSGuestName | Should -Be 'once'
        (Invoke-QemuGuestProcess $session echo '').StandardOutput | Should -Be "`n"
    }

    It 'runs in many guests at once' {
        $many = Connect-QemuGuestAgent (1..20 | ForEach-Object { "embedded:?host-name=h$_" }) -Name (1..20 | ForEach-Object { "g$_" })
        $results = $many | Invoke-QemuGuestProcess -FilePath cat -ArgumentList /etc/hostname
        $results | Sort-Object { [int]$_.PSGuestName.Substring(1) } | ForEach-Object { "$($_.PSGuestName)=$($_.StandardOutput.Trim())" } |
            Should -Be (1..20 | ForEach-Object { "g$_=h$_" })
    }

    It 'sends <Name> to standard input' -ForEach @(
        @{ Name = 'text as a line'; InputObject = 'ä'; Expected = [Text.Encoding]::UTF8.GetBytes("ä`n") }
        @{ Name = 'several texts as lines'; InputObject = 'a', 5; Expected = [Text.Encoding]::UTF8.GetBytes("a`n5`n") }
        @{ Name = 'bytes as they are'; InputObject = [byte[]](0..255); Expected = [byte[]](0..255) }
        @{ Name = 'bytes in a list'; InputObject = [Collections.Generic.List[object]]@([byte]1, [byte]2); Expected = [byte[]](1, 2) }
        @{ Name = 'a secret as a line'; InputObject = [Net.NetworkCredential]::new('', 'pass word').SecurePassword; Expected = [Text.Encoding]::UTF8.GetBytes("pass word`n") }
    ) {
        (Invoke-QemuGuestProcess $session cat -InputObject $InputObject).StandardOutputBytes | Should -Be $Expected
    }

    It 'reads and writes text in <Encoding>' -ForEach @(
        @{ Encoding = 'latin1'; Bytes = [byte[]](0xE4, 10) }
        @{ Encoding = 'ibm850'; Bytes = [byte[]](0x84, 10) }
        @{ Encoding = 850; Bytes = [byte[]](0x84, 10) }
        @{ Encoding = '1252'; Bytes = [byte[]](0xE4, 10) }
        @{ Encoding = 'unicode'; Bytes = [byte[]](0xE4, 0, 10, 0) }
        @{ Encoding = [Text.Encoding]::UTF8; Bytes = [byte[]](0xC3, 0xA4, 10) }
    ) {
        $result = Invoke-QemuGuestProcess $session cat -InputObject 'ä' -Encoding $Encoding
        $result.StandardOutputBytes | Should -Be $Bytes
        $result.StandardOutput | Should -BeExactly "ä`n"
    }

    It 'refuses a null among the arguments' {
        { Invoke-QemuGuestProcess $session echo -ArgumentList a, $null } | Should -Throw -ErrorId 'ParameterArgumentValidationError,*'
    }

    It 'refuses an encoding that is none' {
        { Invoke-QemuGuestProcess $session cat -Encoding nonsense } | Should -Throw '*not an encoding*'
    }

    It 'is an error where a program cannot be started' {
        Invoke-QemuGuestProcess $session /no/such -ErrorVariable failed -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'ProcessNotStarted,*'
        $failed[0].TargetObject | Should -Be $session
        { Invoke-QemuGuestProcess $session cat -Environment @{ 'A=B' = 1 } -ErrorAction Stop } | Should -Throw -ErrorId 'VariableNameInvalid,*'
    }

    It 'says what to change in a guest whose policy forbids it' {
        $other = Connect-QemuGuestAgent 'embedded:?blocked=guest-exec,guest-exec-status,guest-file-open'
        Invoke-QemuGuestProcess $other true -ErrorVariable failed -ErrorAction SilentlyContinue
        $failed | Should -HaveCount 1
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'CommandDisabled,*'
        $failed[0].ErrorDetails.RecommendedAction | Should -BeLike '*/etc/sysconfig/qemu-ga*'
    }

    It 'replaces the environment' {
        (Invoke-QemuGuestProcess $session printenv -Environment ([ordered]@{ A = 'x y'; B = 2; C = $null }) -ReplaceEnvironment).StandardOutput |
            Should -BeExactly "A=x y`nB=2`n"
    }

    It 'Start, Get, Wait and Stop pass processes on' {
        $process = Start-QemuGuestProcess $session sleep 1000
        $process | Should -BeOfType QemuGuestAgent.AgentProcess
        $process.PSGuestName | Should -Be 'vm1'
        $process.HasExited | Should -BeFalse
        $process | Get-QemuGuestProcess | Should -Be $process
        (Get-QemuGuestProcess $session).Pid | Should -Be $process.Pid
        (Get-QemuGuestProcess $session -Id $process.Pid) | Should -Be $process
        $process | Stop-QemuGuestProcess | Should -BeNullOrEmpty
        $process.HasExited | Should -BeTrue
        ($process | Wait-QemuGuestProcess).Signal | Should -Be 9
        Get-QemuGuestProcess $session | Should -BeNullOrEmpty
    }

    It 'Wait tells the end of a process a second time' {
        $process = Start-QemuGuestProcess $session /bin/echo again
        $results = 1..2 | ForEach-Object { $process | Wait-QemuGuestProcess }
        $results.StandardOutput.Trim() | Should -Be again, again
        $results.PSGuestName | Should -Be vm1, vm1
        $results[1].psobject.TypeNames -eq 'QemuGuestAgent.ProcessResult' | Should -HaveCount 1
    }

    It 'Wait waits for all, and for one that is known by its id only' {
        $null = 1..3 | ForEach-Object { Start-QemuGuestProcess $session echo $_ }
        (Wait-QemuGuestProcess -Session $session).StandardOutput | Sort-Object | Should -Be "1`n", "2`n", "3`n"
        $started = Invoke-QemuGuestAgentCommand $session guest-exec @{ path = 'echo'; arg = @('x'); 'capture-output' = $true }
        (Wait-QemuGuestProcess -Session $session -Id $started.pid).StandardOutput | Should -Be "x`n"
        { Wait-QemuGuestProcess -Session $session -Id $started.pid -ErrorAction Stop } | Should -Throw -ErrorId 'ProcessUnknown,*'
    }

    It 'processes are known by their ids from another connection' {
        $process = Start-QemuGuestProcess -Endpoint embedded:byid sleep 1000
        Stop-QemuGuestProcess -Endpoint embedded:byid -Id $process.Pid, 999999 -ErrorVariable failed -ErrorAction SilentlyContinue
        $failed | Should -HaveCount 1
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'ProcessUnknown,*'
        { Get-QemuGuestProcess -Endpoint embedded:byid -Id $process.Pid -ErrorAction Stop } | Should -Throw -ErrorId 'ProcessUnknown,*'
    }

    It 'says so where live output cannot be had' {
        $windows = Connect-QemuGuestAgent 'embedded:?os=windows'
        { Invoke-QemuGuestProcess $windows echo x -Stream -ErrorAction Stop } | Should -Throw -ErrorId 'GuestPowerShellUnusable,*'
        { Invoke-QemuGuestProcess $session echo x -Stream -ErrorAction Stop } | Should -Throw -ErrorId 'OutputFileNotMade,*'
    }

    It 'does nothing with -WhatIf' {
        Start-QemuGuestProcess $session sleep 1000 -WhatIf
        Invoke-QemuGuestProcess $session sleep 1000 -WhatIf
        Get-QemuGuestProcess $session | Should -BeNullOrEmpty
        $process = Start-QemuGuestProcess $session sleep 1000
        $process | Stop-QemuGuestProcess -WhatIf
        ($process | Get-QemuGuestProcess).HasExited | Should -BeFalse
        ($process | Stop-QemuGuestProcess -PassThru) | Should -Be $process
    }

    It 'a time-out kills the program and says so, or keeps it and says so' {
        Invoke-QemuGuestProcess $session sleep 1000 -TimeoutSeconds 0.1 -ErrorVariable failed -ErrorAction SilentlyContinue
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'ProcessTimedOut,*'
        "$failed" | Should -BeLike '*it was killed*'
        Invoke-QemuGuestProcess $session sleep 1000 -TimeoutSeconds 0.1 -KeepOnTimeout -ErrorVariable kept -ErrorAction SilentlyContinue
        "$kept" | Should -BeLike '*it is still running*'
        $id = [long][regex]::Match("$kept", 'process (\d+)').Groups[1].Value
        (Get-QemuGuestProcess $session -Id $id).HasExited | Should -BeFalse
        Stop-QemuGuestProcess -Session $session -Id $id
    }

    It 'has table views that fit 80 columns, and that no guest can write to the terminal with' {
        $escape = [char]27
        $text = Invoke-QemuGuestProcess $session echo "$escape[31mred`nnext" | Out-String -Width 80
        $text | Should -Match 'Guest\s+Pid\s+ExitCode\s+Seconds\s+Output'
        $text | Should -Match 'vm1\s+\d+\s+0\s+\d+[.,]\d\d\s+ \[31mred next'
        $process = Start-QemuGuestProcess $session sleep 1000
        $process | Out-String -Width 80 | Should -Match 'vm1\s+\d+\s+False\s+sleep'
        $process | Stop-QemuGuestProcess
    }

    It 'survives Export-Clixml and back' {
        $path = Join-Path $TestDrive 'result.xml'
        Invoke-QemuGuestProcess $session echo x | Export-Clixml $path
        $back = Import-Clixml $path
        $back.StandardOutput | Should -BeExactly "x`n"
        $back.PSGuestName | Should -Be 'vm1'
    }

    It 'masks environment and input in the debug stream' {
        $records = & {
            $DebugPreference = 'Continue'
            Invoke-QemuGuestProcess $session cat -InputObject 'hunter2' -Environment @{ A = 'hunter2' } -ReplaceEnvironment 5>&1
        }
        ($records | Where-Object { $_ -is [Management.Automation.DebugRecord] }) -join "`n" | Should -Not -Match 'hunter2|aHVudGVyMg'
    }

    It 'Ctrl+C kills what runs and leaves the session usable' {
        $other = Connect-QemuGuestAgent embedded:ctrlc
        $shell = [powershell]::Create().AddScript('param($module, $session) Import-Module $module; Start-QemuGuestProcess $session sleep 1000; Invoke-QemuGuestProcess $session sleep 1000').AddArgument($ModulePath).AddArgument($other)
        $output = [Management.Automation.PSDataCollection[psobject]]::new()
        $running = $shell.BeginInvoke([Management.Automation.PSDataCollection[psobject]]::new(), $output)
        Wait-Until { $output.Count -eq 1 }
        $invoked = $output[0].Pid + 1
        Wait-Until { try { $null = Get-QemuGuestProcess $other -Id $invoked -ErrorAction Stop; $true } catch { $false } }
        $shell.Stop()
        $shell.Dispose()
        # The one that was handed over goes on; the other was killed, and its end taken.
        (Get-QemuGuestProcess $other).HasExited | Should -BeFalse
        { Get-QemuGuestProcess $other -Id $invoked -ErrorAction Stop } | Should -Throw -ErrorId 'ProcessUnknown,*'
        $other.State | Should -Be 'Ready'
    }

    It 'Select-Object -First 1 kills what was not handed over' {
        $fast = Connect-QemuGuestAgent embedded:
        $slow = Connect-QemuGuestAgent 'embedded:?delay=300'
        $first = $fast, $slow | Start-QemuGuestProcess -FilePath sleep -ArgumentList 1000 | Select-Object -First 1
        $first.HasExited | Should -BeFalse
        Get-QemuGuestProcess $slow | Should -BeNullOrEmpty
    }
}

Describe 'Programs in the guest of the real agent of <AgentName>' -ForEach $RealAgents @NeedsRealAgent {
    BeforeAll {
        $agent = Start-RealAgent $AgentPath
        $folder = $agent.Folder
        $session = Connect-QemuGuestAgent $agent.Endpoint -Name real
    }
    AfterAll {
        Disconnect-QemuGuestAgent $session
        Stop-RealAgent $agent
    }

    It 'separates the streams, and gives the exit code' {
        $result = Invoke-QemuGuestProcess $session sh '-c' 'echo out; echo err >&2; exit 3'
        "$($result.StandardOutput)$($result.StandardError)$($result.ExitCode)" | Should -BeExactly "out`nerr`n3"
    }

    It 'merges the environment, and runs in the folder' {
        $result = Invoke-QemuGuestProcess $session sh '-c' 'echo "$GREETING"; pwd; test -n "$PATH"' -Environment @{ GREETING = 'grüezi' } -WorkingDirectory $folder
        $result.StandardOutput | Should -BeExactly "grüezi`n$folder`n"
        $result.ExitCode | Should -Be 0
    }

    It 'writes lines while the program runs, and how it ended last' {
        $go = Join-Path $folder 'go'
        $script = 'echo one; while [ ! -e "$1" ]; do sleep 0.01; done; echo two >&2; exit 3'
        $all = Invoke-QemuGuestProcess $session sh '-c' $script sh $go -Stream | ForEach-Object {
            $null = New-Item $go -ItemType File -Force
            $_
        }
        $all | Select-Object -SkipLast 1 | ForEach-Object { "$($_.PSGuestName) $($_.Stream) $_" } | Should -Be 'real Output one', 'real Error two'
        $all[0].psobject.TypeNames | Should -Contain 'QemuGuestAgent.ProcessLine'
        $all[-1].psobject.TypeNames | Should -Contain 'QemuGuestAgent.ProcessResult'
        $all[-1].ExitCode | Should -Be 3
        $all[0] | Out-String -Width 80 | Should -Match 'Guest\s+Stream\s+Text\s+-+\s+-+\s+-+\s+real\s+Output one'
    }

    It 'Select-Object -First 1 ends a live program' {
        $first = Invoke-QemuGuestProcess $session sh '-c' 'echo $$; exec sleep 1000' -Stream | Select-Object -First 1
        Wait-Until { -not (Test-Running $first) }
        $session.State | Should -Be 'Ready'
        (Invoke-QemuGuestProcess $session echo usable).StandardOutput | Should -Be "usable`n"
    }

    It 'Stop kills the tree' {
        $process = Start-QemuGuestProcess $session sh '-c' 'sleep 1000 & echo $!; wait'
        $process | Stop-QemuGuestProcess
        $result = $process | Wait-QemuGuestProcess
        $result.Signal | Should -Be 9
        $child = [int]$result.StandardOutput
        Wait-Until { -not (Test-Running $child) }
    }
}
