[Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidUsingWriteHost', '', Justification = 'Scripts in the guest may use it')]
param()

BeforeDiscovery {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Guest.ps1
    $named = Get-NamedGuest
    $guests = @(if ($named.OfWindows) { @{ Endpoint = $named.Endpoint; Built = '' } } else { @{ Endpoint = ''; Built = $env:QEMU_GA_WINDOWS } })
    $needsGuest = @{
        Skip = -not $guests[0].Endpoint -and ($OnWindows -or -not $guests[0].Built)
        Tag = if ($InWine) { 'it needs another guest than the one that it runs in' }
            else { 'it needs a Windows guest: QEMU_GUEST_ENDPOINT names one, or QEMU_GA_WINDOWS (tests/tools/windows-guest.sh build FOLDER)' }
    }
    # By default Windows PowerShell; the other may not be there.
    $shells = @{ Shell = 'powershell'; Interpreter = 'WindowsPowerShell'; ShellPath = @{} }, @{ Shell = 'pwsh'; Interpreter = 'PowerShell'; ShellPath = @{ ShellPath = 'pwsh' } }
}
BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Guest.ps1
}

Describe 'A Windows guest' @needsGuest -ForEach $guests {
    BeforeAll {
        if ($Built) {
            # A copy of it, for others may use that one now.
            $tool = "$PSScriptRoot/../tools/windows-guest.sh"
            $lab = Join-Path ([IO.Path]::GetTempPath()) "qga-$([guid]::NewGuid().ToString('N'))"
            & $tool copy $Built $lab
            $Endpoint = "unix:$(& $tool start $lab)"
        }
        $session = Connect-QemuGuestAgent $Endpoint -Name win -TimeoutSeconds 60 -ErrorAction Stop
        $there = New-GuestFolder $session $true
        $here = "$TestDrive"
        $isWine = Invoke-QemuGuestScript $session { Test-Path HKLM:\Software\Wine }
        $hasPwsh = Invoke-QemuGuestProcess $session pwsh.exe -ErrorAction SilentlyContinue -ErrorVariable failed -- -Version
        if ($failed) { $failed[0].FullyQualifiedErrorId | Should -BeLike 'ProcessNotStarted,*' }
        function Skip-WithoutPwsh($Shell) {
            if ($Shell -eq 'pwsh' -and -not $hasPwsh) { Set-ItResult -Skipped -Because 'the guest has no PowerShell 7' }
        }
    }
    AfterAll {
        if ($there) { Remove-GuestFolder $session $true $there }
        Get-QemuGuestAgent | Disconnect-QemuGuestAgent
        if ($lab) {
            & $tool stop $lab
            # The last to go write the registry down. (What is not a link may be one to all of this machine.)
            Wait-Until { /bin/rm -rf $lab 2>$null; -not (Test-Path $lab) }
        }
    }

    Context 'Programs' {
        It 'are followed while they run, with both streams' {
            $all = Invoke-QemuGuestProcess $session cmd.exe -Stream -- /c 'echo one& echo two>&2& exit 3'
            $all | Select-Object -SkipLast 1 | ForEach-Object { "$($_.PSGuestName) $($_.Stream) $_" } | Sort-Object |
                Should -Be 'win Error two', 'win Output one'
            $all[-1].ExitCode | Should -Be 3
        }

        It 'get their arguments as they were given' {
            $echo = "$there\echo.ps1"
            Set-QemuGuestContent $session $echo '$args | ForEach-Object { "<$_>" }'
            $arguments = 'a  b', '', 'c"d', 'e\', '%PATH%', '--', '"'
            (Invoke-QemuGuestProcess $session powershell.exe -ArgumentList (@('-NoProfile', '-ExecutionPolicy', 'Bypass', '-File', $echo) + $arguments)).StandardOutput -split '\r\n' -ne '' |
                Should -BeExactly @($arguments | ForEach-Object { "<$_>" })
        }

        It 'are lines of cmd, as cmd reads them' {
            (Invoke-QemuGuestProcess $session cmd.exe -- /c 'echo "a  b"& echo c^&d').StandardOutput | Should -BeExactly "`"a  b`"`r`nc&d`r`n"
        }

        It 'get variables and a folder' {
            (Invoke-QemuGuestProcess $session cmd.exe -Environment @{ MINE = 'a=b' } -WorkingDirectory $there -- /c 'echo %MINE%& cd').StandardOutput |
                Should -BeExactly "a=b`r`n$there`r`n"
        }

        It 'tell of a crash as Windows does' {
            $result = Invoke-QemuGuestProcess $session cmd.exe -- /c 'exit -1073741819'
            $result.ExitCode | Should -Be -1073741819
            $result | Out-String -Width 80 | Should -Match ' 0xC0000005 '
        }

        It 'that are not there are an error' {
            { Invoke-QemuGuestProcess $session nothing.exe -ErrorAction Stop } | Should -Throw -ErrorId 'ProcessNotStarted,*'
            { Invoke-QemuGuestProcess $session nothing.exe -Stream -ErrorAction Stop } | Should -Throw -ErrorId 'ProcessNotStarted,*'
        }
    }

    Context 'Scripts' {
        It 'bring objects and every record on its own stream: <Interpreter>' -ForEach $shells {
            Skip-WithoutPwsh $Shell
            $mine = 'ünï 漢字 😀'
            $script = {
                [pscustomobject]@{ Shell = (Get-Process -Id $PID).ProcessName; Mine = $using:mine; Nested = @{ Deep = 1, 2 } }
                Write-Warning 'careful'
                Write-Error 'oops' -ErrorId Oops
                Write-Information 'told'
                Write-Host 'shown'
                Write-Verbose 'more' -Verbose
                Write-Progress 'work' -Status half -PercentComplete 50 -Id 3
                5
            }
            $progress = [powershell]::Create().AddScript({
                    param($module, $session, $interpreter, $script, $mine)
                    Import-Module $module
                    Invoke-QemuGuestScript $session ([scriptblock]::Create($script)) -Interpreter $interpreter -ErrorAction Continue *>&1
                })
            foreach ($value in $ModulePath, $session, $Interpreter, "$script", $mine) { $null = $progress.AddArgument($value) }
            $all = $progress.Invoke()
            $all | ForEach-Object { $_.GetType().Name } | Should -Be @(
                'PSCustomObject', 'WarningRecord', 'ErrorRecord', 'InformationRecord', 'InformationRecord', 'VerboseRecord', 'Int32'
            )
            "$($all[0].Shell) $($all[0].Mine) $($all[0].Nested.Deep) $($all[0].PSGuestName)" | Should -Be "$Shell $mine 1 2 win"
            "$($all[1..6])" | Should -Be 'win: careful win: oops told shown win: more 5'
            $all[2].FullyQualifiedErrorId | Should -BeLike 'Oops,*'
            "$($progress.Streams.Progress.Where{ $_.ActivityId -eq 3 }.StatusDescription)" | Should -BeLike 'half*'
            $progress.Dispose()
        }

        It 'are Windows PowerShell unless it is said, and exit with a code' {
            Invoke-QemuGuestScript $session -ScriptText '(Get-Process -Id $PID).ProcessName; exit 5' -Stream -ErrorVariable failed -ErrorAction SilentlyContinue |
                Should -Be powershell
            $failed[0].FullyQualifiedErrorId | Should -BeLike 'ScriptExitCode,*'
            $LASTEXITCODE | Should -Be 5
        }

        It 'are cmd, in <Encoding>' -ForEach @{ Encoding = 'oem' }, @{ Encoding = 'utf8' } {
            if ($isWine -and $Encoding -eq 'utf8') { Set-ItResult -Skipped -Because "Wine's cmd reads files in the OEM code page, whatever chcp says" }
            $result = Invoke-QemuGuestScript $session -Interpreter Cmd -Encoding $Encoding -ScriptText "@echo off`r`necho %~1 %~2 ü`r`nexit 7" -ArgumentList 'ä b', c
            "$($result.StandardOutput.Trim()) $($result.ExitCode)" | Should -Be 'ä b c ü 7'
        }
    }

    Context 'PowerShell sessions: <Shell>' -ForEach $shells {
        BeforeAll {
            if ($Shell -ne 'pwsh' -or $hasPwsh) { $ps = New-QemuGuestPSSession $session @ShellPath -TimeoutSeconds 60 -ErrorAction Stop }
        }
        AfterAll { if ($ps) { Remove-PSSession $ps } }
        BeforeEach { Skip-WithoutPwsh $Shell }

        It 'bring objects, every record on its own stream, and take $using:' {
            $mine = 'ünï 漢字 😀'
            $job = Invoke-Command $ps -AsJob {
                [pscustomobject]@{ Shell = (Get-Process -Id $PID).ProcessName; Mine = $using:mine }
                Write-Warning 'careful'
                Write-Error 'oops' -ErrorId Oops
                Write-Verbose 'more' -Verbose
                Write-Information 'told'
                Write-Progress 'half' -PercentComplete 50
            }
            $null = Wait-Job $job
            $records = $job.ChildJobs[0]
            "$($records.Output.Shell) $($records.Output.Mine) $($records.Output.PSComputerName)" | Should -Be "$Shell $mine win"
            "$($records.Warning) $($records.Verbose) $($records.Information) $($records.Progress.Activity)" | Should -Be 'careful more told half'
            $records.Error[0].FullyQualifiedErrorId | Should -Be Oops
            Remove-Job $job
        }

        It 'copy files both ways' {
            $hash = New-RandomFile "$here/sent" (256KB + 17)
            Copy-Item "$here/sent" "$there\$Shell.bin" -ToSession $ps
            Copy-Item "$there\$Shell.bin" "$here/back" -FromSession $ps
            (Get-FileHash "$here/back").Hash | Should -Be $hash
        }

        It 'stop what they run, and go on' {
            $long = [powershell]::Create().AddScript('param($session) Invoke-Command -Session $session { 1; Start-Sleep 1000 }').AddArgument($ps)
            $output = [Management.Automation.PSDataCollection[psobject]]::new()
            $nothing = [Management.Automation.PSDataCollection[psobject]]::new()
            $nothing.Complete()
            $null = $long.BeginInvoke($nothing, $output)
            Wait-Until { $output.Count -gt 0 }
            $long.Stop()
            $long.InvocationStateInfo.State | Should -Be Stopped
            $long.Dispose()
            Invoke-Command $ps { 'after' } | Should -Be after
        }

        It 'leave nothing when they are removed' {
            $id = Invoke-Command $ps { $PID }
            $id | Should -BeGreaterThan 0
            Remove-PSSession $ps
            Invoke-QemuGuestScript $session { @(Get-Process -Id $PID, $using:id -ErrorAction Ignore).Count } | Should -Be 1
        }
    }

    Context 'Files' {
        It 'are copied both ways, verified there' {
            $hash = New-RandomFile "$here/large" (2MB + 17)
            $sent = Copy-QemuGuestItem "$here/large" "$there\" -ToSession $session -PassThru
            $back = Copy-QemuGuestItem "$there\large" "$here/large.back" -FromSession $session -PassThru
            "$($sent.Verified) $($sent.Atomic) $($sent.Hash) $($back.Verified) $($back.Hash)" | Should -Be "Sha256 True $hash Sha256 $hash"
            (Get-FileHash "$here/large.back").Hash | Should -Be $hash
            { Copy-QemuGuestItem "$here/large" "$there\" -ToSession $session -ErrorAction Stop } | Should -Throw -ErrorId 'ItemExists,*'
        }

        It 'go as folders, and by wildcards' {
            $null = New-Item "$here/tree/süb dir" -ItemType Directory
            Set-Content "$here/tree/one.log" 1
            Set-Content "$here/tree/two.txt" 2
            Set-Content "$here/tree/süb dir/three.log" 3
            $sent = Copy-QemuGuestItem "$here/tree" $there -ToSession $session -Recurse -PassThru
            "$($sent.Verified)" | Should -Be 'Sha256 Sha256 Sha256'
            $null = New-Item "$here/came" -ItemType Directory
            Copy-QemuGuestItem "$there\tree" "$here/came" -FromSession $session -Recurse
            Get-Content "$here/came/tree/süb dir/three.log" | Should -Be 3
            Copy-QemuGuestItem "$there\tree\*.log" "$here/came" -FromSession $session
            (Get-ChildItem "$here/came" -File).Name | Should -Be one.log
        }

        It 'have content' {
            $file = "$there\notes.txt"
            'first', 'zwäi' | Set-QemuGuestContent $session $file
            'third' | Add-QemuGuestContent $session $file
            Get-QemuGuestContent $session $file | Should -Be first, zwäi, third
            Get-QemuGuestContent $session $file -Raw | Should -BeExactly "first`r`nzwäi`r`nthird`r`n"
            Get-QemuGuestContent $session $file -Tail 1 | Should -Be third
            Get-QemuGuestContent $session "$there\not*.txt" -TotalCount 1 | Should -Be first
        }
    }
}
