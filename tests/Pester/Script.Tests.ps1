[Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidUsingWriteHost', '', Justification = 'Scripts in the guest may use it')]
param()

BeforeDiscovery { . $PSScriptRoot/Common.ps1 }
BeforeAll { . $PSScriptRoot/Common.ps1 }

Describe 'Scripts' {
    BeforeAll { $session = Connect-QemuGuestAgent embedded: -Name vm1 }
    AfterAll { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It 'takes one script, and no other number' {
        { Invoke-QemuGuestScript $session } | Should -Throw -ErrorId 'ScriptNotGiven,*'
        { Invoke-QemuGuestScript $session { 1 } -ScriptText 2 } | Should -Throw -ErrorId 'ScriptNotGiven,*'
        { Invoke-QemuGuestScript $session -FilePath /no/such.ps1 } | Should -Throw -ErrorId 'FileNotReadable,*'
        { Invoke-QemuGuestScript $session -FilePath env:PATH } | Should -Throw -ErrorId 'FileNotReadable,*'
        { Invoke-QemuGuestScript $session { $using:thereIsNoSuchVariable } } | Should -Throw -ErrorId 'ScriptVariableNotSet,*'
    }

    It 'is an error where the guest has no such interpreter' {
        { Invoke-QemuGuestScript $session { 1 } -ErrorAction Stop } | Should -Throw -ErrorId 'ProcessNotStarted,*'
        $windows = Connect-QemuGuestAgent 'embedded:?os=windows'
        { Invoke-QemuGuestScript $windows { 1 } -ErrorAction Stop } | Should -Throw '*powershell.exe*'
        { Invoke-QemuGuestScript $windows -ScriptText 1 -ErrorAction Stop } | Should -Throw '*powershell.exe*'
        { Invoke-QemuGuestScript $session -ScriptText 1 -Interpreter Python -ErrorAction Stop } | Should -Throw '*python3*'
    }

    It 'does nothing with -WhatIf' {
        Invoke-QemuGuestScript $session { 1 } -WhatIf | Should -BeNullOrEmpty
    }
}

Describe 'Scripts in the guest of the real agent of <AgentName>' -ForEach $RealAgents @NeedsRealAgent {
    BeforeAll {
        $agent = Start-RealAgent $AgentPath
        $folder = $agent.Folder
        $session = Connect-QemuGuestAgent $agent.Endpoint -Name real
    }
    AfterAll {
        Disconnect-QemuGuestAgent $session
        Stop-RealAgent $agent
    }

    Context 'PowerShell<Name>' -ForEach @(
        @{ Name = ''; Live = $false }
        @{ Name = ', live'; Live = $true }
    ) {
        It 'gives objects, and every record on its own stream, in order' {
            $all = Invoke-QemuGuestScript $session {
                Get-Item /etc/hostname
                Write-Warning 'careful'
                Write-Error 'oops' -ErrorId Oops -Category ResourceBusy -TargetObject thing
                Write-Information 'told' -Tags one, two
                Write-Host 'shown'
                [pscustomobject]@{ Number = 5; Nested = @{ Deep = 'x' }; List = 1, 2 }
                5
                $null
                'text'
            } -Stream:$Live -ErrorAction Continue *>&1
            $all | ForEach-Object { if ($null -eq $_) { 'null' } else { $_.GetType().Name } } | Should -Be @(
                'PSObject', 'WarningRecord', 'ErrorRecord', 'InformationRecord', 'InformationRecord'
                'PSCustomObject', 'Int32', 'null', 'String'
            )
            $all[0].psobject.TypeNames | Should -Contain 'Deserialized.System.IO.FileInfo'
            $all[0].FullName | Should -Be '/etc/hostname'
            $all[0].Length | Should -Be (Get-Item /etc/hostname).Length
            $all[0].PSGuestName | Should -Be 'real'
            $all[1].Message | Should -Be 'real: careful'
            $all[2].FullyQualifiedErrorId | Should -BeLike '*Oops,*'
            $all[2].Exception.Message | Should -Be 'oops'
            $all[2].CategoryInfo.Category | Should -Be 'ResourceBusy'
            $all[2].CategoryInfo.Activity | Should -Be 'Write-Error'
            $all[2].TargetObject | Should -Be 'thing'
            $all[2].PSGuestName | Should -Be 'real'
            "$($all[3].MessageData)/$($all[3].Tags)" | Should -Be 'told/one two'
            "$($all[4].MessageData)/$($all[4].Tags)" | Should -Be 'shown/PSHOST'
            $all[5].Nested.Deep | Should -Be 'x'
            $all[5].List | Should -Be 1, 2
        }
    }

    Context 'PowerShell' {
        It 'gives objects as deep as PowerShell remoting' {
            $script = {
                Get-Item /etc, /etc/hostname
                Get-Process -Id $PID
                [pscustomobject]@{ Table = @{ Deep = @{ Deeper = 1 } }; Object = [pscustomobject]@{ List = 1, @(2, 3) } }
            }
            function Get-Shape($Object) {
                foreach ($property in $Object.psobject.Properties | Where-Object Name -NotMatch '^PS(Guest|Host|Computer|Show|Source)|^RunspaceId$') {
                    "$($property.Name): $(if ($null -ne $property.Value) { $property.Value.psobject.TypeNames })"
                }
            }
            $remote = Start-Job $script | Receive-Job -Wait -AutoRemoveJob
            $remote | Should -HaveCount 4
            $shape = foreach ($object in Invoke-QemuGuestScript $session $script) { Get-Shape $object }
            $shape | Should -Be @(foreach ($object in $remote) { Get-Shape $object })
        }

        It 'shows progress, and takes it down' {
            $shell = [powershell]::Create().AddScript('param($module, $session) Import-Module $module; Invoke-QemuGuestScript $session { Write-Progress -Activity work -Status half -PercentComplete 50 -Id 3; 1 }').AddArgument($ModulePath).AddArgument($session)
            $shell.Invoke() | Should -Be 1
            $records = @($shell.Streams.Progress | Where-Object ActivityId -EQ 3)
            "$($records[0].Activity) $($records[0].StatusDescription) $($records[0].PercentComplete) $($records[0].RecordType)" | Should -Be 'work half 50 Processing'
            $records[-1].RecordType | Should -Be 'Completed'
            $shell.Dispose()
        }

        It 'verbose and debug records that the script shows are shown, whatever the caller prefers' {
            $script = { Write-Verbose 'said' -Verbose; Write-Verbose 'not said'; Write-Debug 'seen' -Debug; Write-Debug 'not seen' }
            $all = Invoke-QemuGuestScript $session $script *>&1
            $all | ForEach-Object { "$($_.GetType().Name) $_" } | Should -Be 'VerboseRecord real: said', 'DebugRecord real: seen'
            Invoke-QemuGuestScript $session $script -Stream 4>$null 5>$null | Should -BeNullOrEmpty
            "$VerbosePreference $DebugPreference" | Should -Be 'SilentlyContinue SilentlyContinue'
        }

        It 'standard error comes as errors, from .NET and from programs<Name>' -ForEach @(
            @{ Name = ''; Live = $false }
            @{ Name = ', live'; Live = $true }
        ) {
            $output = Invoke-QemuGuestScript $session {
                'out'
                [Console]::Error.WriteLine("straight $([char]27)[31mred$([char]27)[0m")
                & /bin/sh -c 'echo of a program >&2'
            } -Stream:$Live -ErrorVariable failed -ErrorAction SilentlyContinue
            $output | Should -Be 'out'
            $failed | ForEach-Object { $_.Exception.Message } | Sort-Object | Should -Be 'of a program', 'straight red'
            $failed | ForEach-Object { $_.FullyQualifiedErrorId | Should -BeLike 'NativeCommandError,*' }
            $failed.PSGuestName | Should -Be 'real', 'real'
        }

        It 'exit gives $LASTEXITCODE, and an error where it is not 0' {
            & $pwsh -NoProfile -Command 'exit 5'
            Invoke-QemuGuestScript $session { 1; & /bin/false; 2 } -ErrorVariable failed | Should -Be 1, 2
            $LASTEXITCODE | Should -Be 5
            Invoke-QemuGuestScript $session { function Stop-It { exit 7 }; 1; Stop-It; 2 } -ErrorVariable failed -ErrorAction SilentlyContinue | Should -Be 1
            $LASTEXITCODE | Should -Be 7
            $failed | Should -HaveCount 1
            $failed[0].FullyQualifiedErrorId | Should -BeLike 'ScriptExitCode,*'
            "$failed" | Should -BeLike '*exit code 7.'
            $failed[0].TargetObject | Should -Be $session
            Invoke-QemuGuestScript $session { 1; exit; 2 } -Stream -ErrorAction Stop | Should -Be 1
            $LASTEXITCODE | Should -Be 0
            { Invoke-QemuGuestScript $session { exit 3 } -ErrorAction Stop } | Should -Throw -ErrorId 'ScriptExitCode,*'
            Invoke-QemuGuestScript $session { 1; break; 2 } -ErrorAction Stop | Should -Be 1
        }

        It 'more than the agent keeps is an error, and no limit live' {
            Invoke-QemuGuestScript $session { 'x' * 13MB } -ErrorVariable failed -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
            $failed[0].FullyQualifiedErrorId | Should -BeLike 'ScriptOutputTooLong,*'
            (Invoke-QemuGuestScript $session { 'x' * 13MB } -Stream).Length | Should -Be 13MB
        }

        It 'a terminating error is one, and what came before it comes' {
            $output = Invoke-QemuGuestScript $session { 1; throw 'dead'; 2 } -ErrorVariable failed -ErrorAction SilentlyContinue
            $output | Should -Be 1
            $failed | Should -HaveCount 1
            $failed[0].Exception.Message | Should -Be 'dead'
            Invoke-QemuGuestScript $session -ScriptText 'if (' -Interpreter PowerShell -ErrorVariable failed -ErrorAction SilentlyContinue
            $failed | Should -HaveCount 1
        }

        It 'takes arguments, input and variables of the caller' {
            $name = 'wörld'
            $table = @{ Key = 1, 2 }
            $splat = @{ InputObject = 'splatted' }
            $result = Invoke-QemuGuestScript $session -ScriptBlock {
                param($First, $Second)
                "$First-$($Second.A)-$using:name-$($using:table.Key[1])-${using:name}"
                $input | ForEach-Object { "in $_" }
                Write-Output @using:splat
            }.GetNewClosure() -ArgumentList 'a b', @{ A = 7 } -InputObject 1, 'two' -ErrorAction SilentlyContinue
            $result | Should -Be 'a b-7-wörld-2-wörld', 'in 1', 'in two', 'splatted'
        }

        It 'takes variables of the caller with a scope or a drive' {
            $script:scoped = 'of the script'
            $env:QEMU_GA_TEST_USING = 'of the environment'
            try {
                Invoke-QemuGuestScript $session { "$using:script:scoped, $using:env:QEMU_GA_TEST_USING" } |
                    Should -Be 'of the script, of the environment'
            }
            finally {
                Remove-Item Env:/QEMU_GA_TEST_USING
            }

            { Invoke-QemuGuestScript $session { $using:env:QEMU_GA_TEST_USING } } | Should -Throw -ErrorId 'ScriptVariableNotSet,*'
        }

        It 'secrets arrive as secrets, and are in no log and no trace' {
            $secret = [Net.NetworkCredential]::new('', 'hunter2').SecurePassword
            $credential = [pscredential]::new('me', $secret)
            $records = & {
                $DebugPreference = 'Continue'
                Invoke-QemuGuestScript $session {
                    param($Argument)
                    $Argument.GetType().Name
                    ($using:credential).GetNetworkCredential().Password
                } -ArgumentList $secret 5>&1
            }
            $records | Where-Object { $_ -isnot [Management.Automation.DebugRecord] } | Should -Be 'SecureString', 'hunter2'
            ($records | Where-Object { $_ -is [Management.Automation.DebugRecord] }) -join "`n" | Should -Not -Match 'hunter2'
        }

        It 'is broken off where its PowerShell is' {
            Invoke-QemuGuestScript $session { 1; [Environment]::Exit(7) } -ErrorVariable failed -ErrorAction SilentlyContinue
            $failed[0].FullyQualifiedErrorId | Should -BeLike 'ScriptBrokenOff,*'
            "$failed" | Should -BeLike '*(exit code 7): it wrote nothing*'
            Invoke-QemuGuestScript $session { Stop-Process -Id $PID -Force } -ErrorVariable failed -ErrorAction SilentlyContinue
            "$failed" | Should -BeLike '*(signal 9)*'
        }

        It 'what goes past PowerShell comes as text' {
            Invoke-QemuGuestScript $session { [Console]::Write('raw'); 5 } | Should -Be 'raw', 5
        }

        It 'no text of a guest acts on a terminal' {
            $escape = [char]27
            Invoke-QemuGuestScript $session { Write-Error "$([char]27)[31mred`nnext" } -ErrorVariable failed -ErrorAction SilentlyContinue
            $failed[0].Exception.Message | Should -Be "red`nnext"
            Invoke-QemuGuestScript $session { Write-Error "$([char]27)[2Jgone" } -ErrorVariable failed -ErrorAction SilentlyContinue
            $failed[0].Exception.Message | Should -Be '\u001B[2Jgone'
        }

        It 'Select-Object -First 1 ends a live script' {
            $id = Invoke-QemuGuestScript $session { $PID; Start-Sleep 1000 } -Stream | Select-Object -First 1
            Wait-Until { -not (Test-Running $id) }
            $session.State | Should -Be 'Ready'
        }
    }

    Context '<Interpreter>' -ForEach @(
        @{ Interpreter = 'Sh'; Script = 'printf "%s\n" "$1" "$2"; cat; exit 3' }
        @{ Interpreter = 'Bash'; Script = "[[ `$# == 2 ]] &&`r`nprintf '%s\n' `"`$1`" `"`$2`"`r`ncat; exit 3" }
        @{ Interpreter = 'Python'; Script = "import sys`nfor a in sys.argv[1:]: print(a)`nsys.stdout.write(sys.stdin.read())`nsys.exit(3)" }
    ) {
        It 'gets arguments and input as they are' {
            $argument = "a'b`"c`$(id)\n\\ *"
            $result = Invoke-QemuGuestScript $session -ScriptText $Script -Interpreter $Interpreter -ArgumentList $argument, "ünï`n" -InputObject "in\put", '' -Encoding utf8
            $result.StandardError | Should -BeExactly ''
            $result.StandardOutput | Should -BeExactly "$argument`nünï`n`nin\put`n`n"
            $result.ExitCode | Should -Be 3
        }
    }

    It 'a file tells its interpreter by its name' {
        $file = Join-Path $folder 'a.py'
        Set-Content $file 'print(6 * 7)'
        (Invoke-QemuGuestScript $session -FilePath $file).StandardOutput | Should -Be "42`n"
        $file = Join-Path $folder 'a.ps1'
        Set-Content $file 'param($n) [timespan]::FromSeconds($n)'
        Invoke-QemuGuestScript $session -FilePath $file -ArgumentList 5 | Should -Be ([timespan]'00:00:05')
        $file = Join-Path $folder 'a.txt'
        Set-Content $file 'echo $0'
        (Invoke-QemuGuestScript $session -FilePath $file).StandardOutput | Should -Be "script`n"
    }

    It 'its first line names the interpreter: <Line>' -ForEach @(
        @{ Line = '#!/bin/bash'; Script = '[[ $# == 1 ]] && echo "$1 ${BASH_VERSION:+bash}"; cat; exit 3'; Output = "a b bash`ninput`n"; Code = 3 }
        @{ Line = '#! /usr/bin/env bash'; Script = 'echo "$1 ${BASH_VERSION:+bash}"; cat; exit 3'; Output = "a b bash`ninput`n"; Code = 3 }
        @{ Line = '#!/bin/sh -e'; Script = 'false; echo no'; Output = ''; Code = 1 }
        @{ Line = '#!/usr/bin/env -S perl -w'; Script = 'print "@ARGV\n", <STDIN>;'; Output = "a b`ninput`n"; Code = 0 }
        @{ Line = '#!/usr/bin/python3'; Script = 'import sys; print(sys.argv[1:], sys.stdin.read())'; Output = "['a b'] input`n`n"; Code = 0 }
    ) {
        if ($Line -match '(\w+)( -\w)?$' -and -not (Get-Command $Matches[1] -CommandType Application -ErrorAction Ignore)) { Set-ItResult -Skipped -Because "there is no $($Matches[1]) here" }
        foreach ($end in "`n", "`r`n") {
            $result = Invoke-QemuGuestScript $session -ScriptText "$Line$end$Script$end" -ArgumentList 'a b' -InputObject input
            $result.StandardOutput | Should -BeExactly $Output
            $result.StandardError | Should -BeExactly ''
            $result.ExitCode | Should -Be $Code
        }
    }

    It 'its first line names PowerShell, and -Interpreter comes before that' {
        $file = Join-Path $folder 'named'
        Set-Content $file "#!/usr/bin/env pwsh`nparam(`$n) [timespan]::FromSeconds(`$n)"
        Invoke-QemuGuestScript $session -FilePath $file -ArgumentList 5 | Should -Be ([timespan]'00:00:05')
        $file = Join-Path $folder 'bash.sh'
        Set-Content $file "#!/bin/bash`necho `"`${BASH_VERSION:+bash}`""
        (Invoke-QemuGuestScript $session -FilePath $file).StandardOutput | Should -Be "bash`n"
        (Invoke-QemuGuestScript $session -FilePath $file -Interpreter Sh).StandardOutput | Should -Be "`n"
        (Invoke-QemuGuestScript $session -ScriptText "#!/no/such/interpreter`nx").ExitCode | Should -Be 127
    }

    It 'a shell script comes live' {
        $lines = Invoke-QemuGuestScript $session -ScriptText 'echo one; echo two >&2' -Stream
        $lines | Select-Object -SkipLast 1 | ForEach-Object { "$($_.Stream) $_" } | Sort-Object | Should -Be 'Error two', 'Output one'
    }
}
