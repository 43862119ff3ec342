# Most of it on a host of tests/tools/host.sh, from where ssh reaches kvm1, kvm2 and kvm3: each has guests web1 and db1 of its own.

BeforeDiscovery {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Example.ps1
    $noHost = Get-NoHostReason
    $needsHost = @{ Skip = [bool] $noHost; Tag = "$noHost" }
    $needsTerminal = @{ Skip = -not (Get-Command script -CommandType Application -ErrorAction Ignore); Tag = 'it needs script: apt-get install bsdutils' }
}

BeforeAll {
    . $PSScriptRoot/Common.ps1

    # A PowerShell on such a host, where all tests run.
    function Start-Host {
        $process = [Management.Automation.Runspaces.PowerShellProcessInstance]::new()
        $start = $process.Process.StartInfo
        $start.FileName = (Get-Item "$PSScriptRoot/../tools/host.sh").FullName
        $start.ArgumentList.Insert(0, $pwsh)
        $start.Environment['QEMU_GA'], $start.Environment['QEMU_GA_BLOCKED'] = $RealAgentPath, $BlockedCommands
        $start.Environment['PSModulePath'] = "$(Split-Path (Get-Module QemuGuestAgent).ModuleBase):$env:PSModulePath"
        $runspace = [runspacefactory]::CreateOutOfProcessRunspace($null, $process)
        $runspace.Open()
        $script:there = [Management.Automation.Runspaces.PSSession]::Create($runspace, 'host', $null)
        Invoke-There {
            . $using:PSScriptRoot/Common.ps1
            $PSStyle.OutputRendering = 'PlainText'

            function Invoke-Ssh([string] $HostName, [string] $Command) { $Command | ssh $HostName bash }

            # A process with the command line of a QEMU, whose guest has this channel.
            function Start-Qemu([string] $HostName, [string] $Name, [string] $Channel, [string] $User = 'root') {
                $line = "-name guest=$Name -chardev socket,id=qga0,$Channel,server=on,wait=off -device virtserialport,chardev=qga0,name=org.qemu.guest_agent.0"
                Invoke-Ssh $HostName "setpriv --reuid=$User bash -c 'exec -a qemu-system-x86_64 bash -c ""while :; do sleep 1; done"" x $line' > /dev/null 2>&1 & echo `$!"
            }

            # What this module has of ssh here, and of programs that relay on kvm1.
            function Get-Ours {
                pgrep -a -f /run/QemuGuestAgent-0/ssh-
                (Get-ChildItem /run/QemuGuestAgent-0/ssh-*).FullName
                Invoke-Ssh kvm1 'pgrep -a -x -f "socat - UNIX-CONNECT:/run/vm/web1.sock"'
            }

            function Wait-End { try { Wait-Until { -not (Get-Ours) } } catch { throw "This is left: $(@(Get-Ours) -join "`n")" } }
        }
    }

    # Its errors are thrown here.
    function Invoke-There([scriptblock] $Script) { Invoke-Command -Session $there -ScriptBlock $Script -ErrorAction Stop }

    function Close-All {
        Invoke-There {
            Get-PSSession | Remove-PSSession
            Get-QemuGuestAgent | Disconnect-QemuGuestAgent
        }
    }

    function Stop-Host {
        if ($there) { $there | Remove-PSSession }
    }
}

Describe 'An endpoint by ssh' {
    It 'is completed: <_>' -ForEach 'Connect-QemuGuestAgent', 'Get-QemuGuest' {
        (TabExpansion2 "$_ ss").CompletionMatches.CompletionText | Should -Contain 'ssh://'
    }

    It 'is none: <_>' -ForEach @(
        'ssh:kvm1/run/vm/web1.sock', 'ssh://kvm1', 'ssh://kvm1:70000/run/vm/web1.sock', 'ssh://kvm1/run/vm/web1.sock?IdentityFile'
        'ssh://-oProxyCommand=x/run/vm/web1.sock', 'ssh://-l@kvm1/run/vm/web1.sock', 'ssh://kvm1/run/vm/web1.sock?Proxy%20Command=x'
    ) {
        { Connect-QemuGuestAgent $_ -ErrorAction Stop } | Should -Throw -ErrorId 'EndpointMalformed,*'
    }

    It 'is none of these parameters: <HostName>, <Options.Keys>' -ForEach @(
        @{ HostName = '-oProxyCommand=x'; Options = @{} }
        @{ HostName = 'kvm1'; Options = @{ 'Proxy Command' = 'x' } }
        @{ HostName = 'kvm1'; Options = @{ ProxyCommand = "x`ny" } }
    ) {
        { Connect-QemuGuestAgent -HostName $HostName -SocketPath /run/vm/web1.sock -Options $Options -ErrorAction Stop } | Should -Throw -ErrorId 'EndpointMalformed,*'
        { Find-QemuGuestAgent -HostName $HostName -Options $Options -ErrorAction Stop } | Should -Throw -ErrorId 'EndpointMalformed,*'
    }

    It 'is not opened with the options that an object gives' {
        $mark = Join-Path $TestDrive 'started'
        { 'Endpoint', "ssh://kvm1/run/vm/web1.sock?ProxyCommand=/bin/touch%20$mark" | ConvertFrom-Csv | Get-QemuGuest -ErrorAction Stop } |
            Should -Throw -ErrorId 'EndpointFromObject,*'
        $mark | Should -Not -Exist
    }

    It 'needs ssh' {
        $path = $env:PATH
        $env:PATH = ''
        try {
            { Connect-QemuGuestAgent ssh://kvm1/run/vm/web1.sock -ErrorAction Stop } | Should -Throw -ErrorId 'SshNotInstalled,*'
            { Find-QemuGuestAgent -HostName kvm1 -ErrorAction Stop } | Should -Throw -ErrorId 'SshNotInstalled,*'
        }
        finally { $env:PATH = $path }
    }
}

Describe 'By ssh' @needsHost {
    BeforeAll { Start-Host }
    AfterEach { Close-All }
    AfterAll { Stop-Host }

    It 'acts on no other guest where what came from one has no session any more' {
        $marked = [pscustomobject]@{ PSGuestName = 'web1'; PSHostName = 'kvm2'; Endpoint = 'ssh://kvm1/run/vm/web1.sock' }
        foreach ($command in 'Connect-QemuGuestAgent', 'Wait-QemuGuestAgent -TimeoutSeconds 1', 'Sync-QemuGuestAgent', 'Disconnect-QemuGuestAgent', 'Get-QemuGuest') {
            $ids = Invoke-There {
                $null = Connect-QemuGuestAgent ssh://kvm1/run/vm/web1.sock
                $using:marked | & ([scriptblock]::Create("`$input | $using:command -ErrorVariable failed -ErrorAction SilentlyContinue; `$failed.FullyQualifiedErrorId"))
            }
            $ids | Should -BeLike '*NotFound,*' -Because $command
            Invoke-There { (Get-QemuGuestAgent).HostName; Get-QemuGuestAgent | Disconnect-QemuGuestAgent } | Should -Be 'kvm1'
        }
    }

    It 'takes a session for another one only where they lead to the same host' {
        Invoke-There {
            $null = Connect-QemuGuestAgent ssh://kvm1/run/vm/web1.sock
            (Get-QemuGuest ssh://root@kvm1/run/vm/web1.sock?ConnectTimeout=20).PSHostName
            "$((Connect-QemuGuestAgent 'ssh://kvm1/run/vm/web1.sock?HostName=kvm2').State)"
        } | Should -Be 'kvm1', 'Ready'
    }

    It 'takes no path for another host' {
        { Invoke-There { Connect-QemuGuestAgent -HostName kvm1 -SocketPath '@kvm2/run/vm/web1.sock' } } | Should -Throw -ErrorId 'EndpointMalformed,*'
    }

    Context 'a guest <Way>' -ForEach @(
        @{ Way = 'whose host forwards sockets'; Endpoint = 'ssh://kvm1/run/vm/web1.sock'; Relays = 0 }
        @{ Way = 'whose host forwards nothing'; Endpoint = 'ssh://kvm1:2222/run/vm/web1.sock?IdentityFile=/etc/ssh/other'; Relays = 1 }
        @{ Way = 'that sudo reaches'; Endpoint = 'ssh://kvm1/run/vm/web1.sock?sudo'; Relays = 1 }
    ) {
        BeforeAll {
            Invoke-There {
                $endpoint = $using:Endpoint
                '#!/bin/sh', 'printf "%s\n" "$*" >> /run/sudo.log; [ "$1" = -n ] || exit 9; shift; exec "$@"' | ssh kvm1 'cat > /run/bin/sudo; chmod +x /run/bin/sudo'
            }
        }

        It 'is connected to' {
            $session = Invoke-There { Connect-QemuGuestAgent $endpoint }
            "$($session.Name) $($session.HostName) $($session.State)" | Should -Be 'web1 kvm1 Ready'
            $session.Endpoint | Should -BeExactly $Endpoint
            @(Invoke-There { Invoke-Ssh kvm1 'pgrep -x -f "socat - UNIX-CONNECT:/run/vm/web1.sock"' }).Count | Should -Be $Relays
            if ($Endpoint -like '*sudo') { Invoke-There { Invoke-Ssh kvm1 'head -n 1 /run/sudo.log' } | Should -BeLike '-n /bin/sh -c *' }
        }

        It 'is looked at' {
            $guest = Invoke-There { Get-QemuGuest $endpoint }
            "$($guest.PSGuestName) $($guest.PSHostName) $($guest.HostName) $($guest.IPAddresses)" | Should -Be 'web1 kvm1 web1 192.0.2.11'
        }

        It 'is named, with its host, by all that comes from it' {
            $all = Invoke-There {
                $vm = Connect-QemuGuestAgent $endpoint
                foreach ($thing in 'NetworkInterface', 'Time', 'Content') {
                    $path = if ($thing -eq 'Content') { @{ Path = '/etc/hostname' } } else { @{} }
                    & "Get-QemuGuest$thing" $vm @path | Select-Object -First 1
                }
                Invoke-QemuGuestAgentCommand $vm guest-get-osinfo
                Invoke-QemuGuestProcess $vm hostname
                Test-QemuGuestAgent $vm
                Sync-QemuGuestAgent $vm
            }
            $all | ForEach-Object { "$($_.PSGuestName)@$($_.PSHostName)" } | Should -Be (@('web1@kvm1') * 7)
            Invoke-There { Invoke-QemuGuestProcess $vm /no/such -ErrorAction SilentlyContinue -ErrorVariable failed; "$failed" } | Should -BeLike 'web1@kvm1: *'
        }

        It 'runs scripts' {
            $result = Invoke-There { Invoke-QemuGuestScript $endpoint -ScriptText 'hostname; exit 3' }
            "$($result.ExitCode) $($result.StandardOutput.Trim()) $($result.PSHostName)" | Should -Be '3 web1 kvm1'
            Invoke-There {
                Invoke-QemuGuestScript $endpoint { hostname; Write-Warning careful } -WarningVariable warned -WarningAction SilentlyContinue
                "$warned"
            } | Should -Be 'web1', 'web1@kvm1: careful'
        }

        It 'takes files and gives them' {
            Invoke-There {
                $bytes = [byte[]]::new(3MB)
                [Random]::new(1).NextBytes($bytes)
                [IO.File]::WriteAllBytes('/srv/there', $bytes)
                $vm = Connect-QemuGuestAgent $endpoint
                Copy-QemuGuestItem /srv/there /tmp/there -ToSession $vm -Force
                Copy-QemuGuestItem /tmp/there /srv/back -FromSession $vm -Force
                (Get-FileHash /srv/back).Hash -eq (Get-FileHash /srv/there).Hash
            } | Should -BeTrue
        }

        It 'has PowerShell sessions' {
            Invoke-There {
                $shell = New-QemuGuestPSSession $endpoint
                Invoke-Command $shell { hostname }
                Invoke-Command $shell { 'x' * 1MB } | ForEach-Object Length
            } | Should -Be 'web1', 1MB
        }

        It 'tells itself that it must not be frozen' {
            { Invoke-There { Use-QemuGuestFrozenFileSystem $endpoint { $hasRun = $true } -OutcomeVariable outcome -Confirm:$false } } |
                Should -Throw '*its agent does not allow guest-fsfreeze-thaw*' -ErrorId 'ThawNotAllowed,*'
            $outcome = Invoke-There { $hasRun; $outcome }
            "$($outcome.PSGuestName) $($outcome.PSHostName) $($outcome.Result)" | Should -Be 'web1 kvm1 NotFrozen'
        }

        It 'is told to be absent where it is' {
            { Invoke-There { Connect-QemuGuestAgent $endpoint.Replace('web1', 'web9') -ErrorAction Stop } } | Should -Throw '*web9*' -ErrorId 'EndpointNotFound,*'
        }

        It 'leaves nothing when it is disconnected' {
            Invoke-There {
                Wait-End
                $vm = Connect-QemuGuestAgent $endpoint
                @(Get-Ours).Count
                Disconnect-QemuGuestAgent $vm
                Wait-End
            } | Should -BeGreaterThan 2
        }

        It 'leaves nothing when PowerShell is killed' {
            Invoke-There {
                Remove-Item /srv/up -ErrorAction Ignore
                $text = "Import-Module '$ModulePath'; Connect-QemuGuestAgent '$endpoint' | Out-Null; Set-Content /srv/up.new `$PID; Move-Item /srv/up.new /srv/up; Start-Sleep 1000"
                $other = Start-Process $pwsh '-NoProfile', '-EncodedCommand', ([Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($text))) -PassThru
                Wait-Until { if ($other.HasExited) { throw 'It has ended.' }; Test-Path /srv/up }
                @(Get-Ours).Count
                # The launcher of a dotnet tool is another process.
                kill -KILL (Get-Content /srv/up)
                Wait-End
            } | Should -BeGreaterThan 2
            Invoke-There { (Get-QemuGuest $endpoint).HostName } | Should -Be 'web1'
        }
    }

    Context 'guests of hosts' {
        It 'are found, and ssh ends with that' {
            $found = Invoke-There { Find-QemuGuestAgent -HostName kvm1, root@kvm2 } | Sort-Object Endpoint
            $found | ForEach-Object { "$($_.Name) $($_.HostName) $($_.Endpoint)" } | Should -Be @(
                'db1 kvm1 ssh://kvm1/run/vm/db1.sock', 'web1 kvm1 ssh://kvm1/run/vm/web1.sock'
                'db1 kvm2 ssh://root@kvm2/run/vm/db1.sock', 'web1 kvm2 ssh://root@kvm2/run/vm/web1.sock'
            )
            $found | ForEach-Object { "$($_.Source) $($_.State) $($_.Owner) $($_.IsTrusted)" } | Should -Be (@('QEMU Free root True') * 4)
            $found[0].PSObject.TypeNames | Should -Contain 'Deserialized.QemuGuestAgent.Channel'
            Invoke-There { Wait-End }
        }

        It 'are found, connected to and asked in one line, by one ssh for each host' {
            $guests = Invoke-There {
                $vm = Find-QemuGuestAgent -HostName kvm1, kvm2, kvm3 | Connect-QemuGuestAgent
                $vm | Get-QemuGuest
                @(pgrep -x ssh).Count
            }
            $guests[0..5] | ForEach-Object { "$($_.HostName)@$($_.PSHostName)" } | Sort-Object |
                Should -Be 'db1@kvm1', 'db1@kvm2', 'db1@kvm3', 'web1@kvm1', 'web1@kvm2', 'web1@kvm3'
            $guests[6] | Should -Be 3
        }

        It 'are found with a user, a port and a key, and by sudo' {
            Invoke-There {
                '#!/bin/sh', 'shift; exec "$@"' | ssh kvm1 'cat > /run/bin/sudo; chmod +x /run/bin/sudo'
                Set-Location /etc/ssh
                Find-QemuGuestAgent web* -HostName kvm1 -UserName root -Port 2222 -KeyFilePath other -Options @{ ConnectTimeout = 5 } -Sudo | ForEach-Object {
                    $_.Endpoint
                    ($_ | Connect-QemuGuestAgent).HostName
                }
            } | Should -Be 'ssh://root@kvm1:2222/run/vm/web1.sock?IdentityFile=/etc/ssh/other&ConnectTimeout=5&sudo', 'kvm1'
        }

        It 'are found where another host fails' {
            Invoke-There { Find-QemuGuestAgent web1 -HostName nowhere.invalid, kvm1 -ErrorVariable failed -ErrorAction SilentlyContinue | ForEach-Object Endpoint } |
                Should -Be 'ssh://kvm1/run/vm/web1.sock'
            $failed = Invoke-There { $failed }
            $failed | Should -HaveCount 1
            $failed.FullyQualifiedErrorId | Should -BeLike 'EndpointHostNotFound,*'
            $failed.TargetObject | Should -Be 'nowhere.invalid'
        }

        It 'are left out where another user of the host controls them, and named where ssh does not lead there' {
            $told = Invoke-There {
                $ids = (Start-Qemu kvm3 far 'host=127.0.0.1,port=4444'), (Start-Qemu kvm3 foreign path=/tmp/foreign.sock nobody)
                Wait-Until { (Find-QemuGuestAgent -HostName kvm3 -Verbose 4>&1 3>$null) -like '*far*' }
                Wait-Until { Find-QemuGuestAgent foreign -HostName kvm3 -IncludeUntrusted }
                Find-QemuGuestAgent w*, f* -HostName kvm3 -Verbose *>&1 | ForEach-Object { "$_" }
                Find-QemuGuestAgent foreign -HostName kvm3 -IncludeUntrusted | ForEach-Object { "$($_.Endpoint) $($_.Owner) $($_.IsTrusted)" }
                Invoke-Ssh kvm3 "kill $ids"
            }
            $told | Sort-Object | Should -Be @(
                "A channel of 'far' is not listed: only sockets of another host can be reached, not 'tcp://127.0.0.1:4444'."
                "Channels that other users control are left out, because these users could read all traffic: 'foreign' (ssh://kvm3/tmp/foreign.sock, nobody). Use -IncludeUntrusted to list them."
                'ssh://kvm3/tmp/foreign.sock nobody False'
                'web1'
            )
        }

        It 'are connected to by their sockets' {
            Invoke-There {
                Connect-QemuGuestAgent -HostName kvm1 -SocketPath /run/vm/web1.sock, /run/vm/db1.sock -Name a, b
                [pscustomobject]@{ HostName = 'root@kvm2:2222'; SocketPath = '/run/vm/web1.sock' } | Connect-QemuGuestAgent -KeyFilePath /etc/ssh/other
            } | ForEach-Object { "$($_.Name) $($_.HostName) $($_.Endpoint)" } | Should -Be @(
                'a kvm1 ssh://kvm1/run/vm/web1.sock'
                'b kvm1 ssh://kvm1/run/vm/db1.sock'
                'web1 kvm2 ssh://root@kvm2:2222/run/vm/web1.sock?IdentityFile=/etc/ssh/other'
            )
        }

        It 'are waited for' {
            { Invoke-There { Wait-QemuGuestAgent -Endpoint ssh://kvm1/run/vm/late.sock -TimeoutSeconds 1 -ErrorAction Stop } } | Should -Throw '*does not exist*' -ErrorId 'AgentNotReady,*'
            Invoke-There {
                Invoke-Ssh kvm1 '(sleep 1; ln -s web1.sock /run/vm/late.sock) > /dev/null 2>&1 &'
                Wait-QemuGuestAgent -Endpoint ssh://kvm1/run/vm/late.sock
            } | ForEach-Object { "$($_.Name) $($_.HostName) $($_.State)" } | Should -Be 'late kvm1 Ready'
        }

        It 'leave no folder behind, not even of a process that was killed with what cleans up' {
            Invoke-There {
                $vm = Connect-QemuGuestAgent ssh://kvm1/run/vm/web1.sock

                # No process has such a number.
                $null = New-Item -ItemType Directory /run/QemuGuestAgent-0/ssh-2147483647-1
                Disconnect-QemuGuestAgent $vm
                Connect-QemuGuestAgent ssh://kvm1/run/vm/web1.sock | Disconnect-QemuGuestAgent
                Wait-End
            }
        }

        It 'are meant by an endpoint of an object' {
            Invoke-There { 'Endpoint', 'ssh://kvm1/run/vm/web1.sock' | ConvertFrom-Csv | Get-QemuGuest | ForEach-Object PSHostName } | Should -Be 'kvm1'
        }

        It 'are completed' {
            Invoke-There {
                $null = Connect-QemuGuestAgent ssh://kvm1/run/vm/web1.sock
                (TabExpansion2 'Get-QemuGuest web1@').CompletionMatches.CompletionText
            } | Should -Be "'web1@kvm1'"
        }

        It 'have hosts that are completed: <_>' -ForEach 'Find-QemuGuestAgent', 'Connect-QemuGuestAgent' {
            $command = $_
            Invoke-There {
                $before = $env:HOME
                $env:HOME = '/srv'
                $null = New-Item -ItemType Directory /srv/.ssh -Force
                Set-Content /srv/.ssh/config '# Host commented', 'Host rack1 rack2', '  HostName 192.0.2.1', 'host=rack3', 'Host rack* !rack9'
                try { (TabExpansion2 "$using:command -HostName rac").CompletionMatches.CompletionText } finally { $env:HOME = $before }
            } | Should -Be 'rack1', 'rack2', 'rack3'
        }
    }

    Context 'guests of the same name on two hosts and here' {
        BeforeAll {
            # What the guests themselves can tell.
            Invoke-There {
                foreach ($endpoint in 'ssh://kvm1/run/vm/web1.sock', 'ssh://kvm2/run/vm/web1.sock', 'unix:/run/vm/web1.sock') {
                    $endpoint | Set-QemuGuestContent $endpoint /tmp/whose
                }
            }
        }
        BeforeEach { Invoke-There { $vm = Connect-QemuGuestAgent ssh://kvm1/run/vm/web1.sock, ssh://kvm2/run/vm/web1.sock } }

        It 'are told apart in each view' {
            $view = Invoke-There { Get-QemuGuest $vm | Out-String -Width 150; Get-QemuGuestTime $vm | Format-Table | Out-String -Width 150 }
            [regex]::Matches("$view", '(?m)^web1@kvm\d ').Value | Sort-Object | Should -Be 'web1@kvm1 ', 'web1@kvm1 ', 'web1@kvm2 ', 'web1@kvm2 '
            Invoke-There { Get-QemuGuestAgent | Out-String -Width 150 } | Should -Match '(?s)web1 .*ssh://kvm1/.*web1 .*ssh://kvm2/'
        }

        It 'are meant by <Name>' -ForEach @(
            @{ Name = 'web1@kvm1'; Hosts = @('kvm1') }
            @{ Name = 'WEB1@KVM2'; Hosts = @('kvm2') }
            @{ Name = 'web1'; Hosts = 'kvm1', 'kvm2' }
            @{ Name = 'web1@*'; Hosts = 'kvm1', 'kvm2' }
            @{ Name = '*@kvm2'; Hosts = @('kvm2') }
        ) {
            Invoke-There { Get-QemuGuest $using:Name | ForEach-Object PSHostName } | Sort-Object | Should -Be $Hosts
            Invoke-There { Get-QemuGuestContent $using:Name /tmp/whose | ForEach-Object { "$($_.PSHostName) $_" } } | Sort-Object |
                Should -Be ($Hosts | ForEach-Object { "$_ ssh://$_/run/vm/web1.sock" })
        }

        It 'are each the one that an exported object came from' {
            Invoke-There { Get-QemuGuest $vm | Export-Clixml /srv/guests.xml }
            Invoke-There { Import-Clixml /srv/guests.xml | Get-QemuGuestContent -Path /tmp/whose | ForEach-Object { "$($_.PSHostName) $_" } } | Sort-Object |
                Should -Be 'kvm1 ssh://kvm1/run/vm/web1.sock', 'kvm2 ssh://kvm2/run/vm/web1.sock'

            # A guest of another host takes no one's place, nor does that of this one.
            Invoke-There { Disconnect-QemuGuestAgent web1@kvm1 }
            { Invoke-There { Import-Clixml /srv/guests.xml | Where-Object PSHostName -EQ kvm1 | Get-QemuGuest -ErrorAction Stop } } | Should -Throw -ErrorId 'GuestNotFound,*'
        }

        It 'are not meant by an object of the guest here' {
            Invoke-There {
                Get-QemuGuest unix:/run/vm/web1.sock | Export-Clixml /srv/here.xml
                Import-Clixml /srv/here.xml | Get-QemuGuestContent -Path /tmp/whose | ForEach-Object { "$($_.PSGuestName)@$($_.PSHostName) $_" }
            } | Should -Be 'web1@ unix:/run/vm/web1.sock'
        }

        It 'are told apart by errors' {
            $failed = Invoke-There { Invoke-QemuGuestProcess $vm /no/such -ErrorAction SilentlyContinue -ErrorVariable failed; $failed }
            $failed | ForEach-Object { "$_" -replace ':.*' } | Sort-Object | Should -Be 'web1@kvm1', 'web1@kvm2'
        }

        It 'are each disconnected by their own name' {
            Invoke-There { Disconnect-QemuGuestAgent web1@kvm1; Get-QemuGuestAgent | ForEach-Object HostName } | Should -Be 'kvm2'
        }
    }

    Context 'what is wrong' {
        It 'is told by <Id>' -ForEach @(
            @{ Id = 'SshHostKeyUnknown'; Options = @{ GlobalKnownHostsFile = '/dev/null'; UserKnownHostsFile = '/dev/null' }; Text = "*host 'kvm1'*" }
            @{ Id = 'SshHostKeyChanged'; Options = @{ GlobalKnownHostsFile = '/srv/wrong' }; Text = "*host 'kvm1'*" }
            @{ Id = 'SshAccessDenied'; Options = @{ Port = 2222; IdentityFile = '/srv/absent' }; Text = '*Permission denied*' }
            @{ Id = 'SshFailed'; Options = @{ NoSuchOption = 1 }; Text = '*nosuchoption*' }
        ) {
            { Invoke-There {
                    Set-Content /srv/wrong "* $(Get-Content /etc/ssh/other.pub)"
                    Connect-QemuGuestAgent -HostName kvm1 -SocketPath /run/vm/web1.sock -Options $using:Options -ErrorAction Stop
                } } | Should -Throw $Text -ErrorId "$Id,*"
            { Invoke-There { Find-QemuGuestAgent -HostName kvm1 -Options $using:Options -ErrorAction Stop } } | Should -Throw $Text -ErrorId "$Id,*"
        }

        It 'is that the host wants another key' {
            { Invoke-There { Connect-QemuGuestAgent -HostName kvm1 -Port 2222 -SocketPath /run/vm/web1.sock -KeyFilePath /etc/ssh/key -ErrorAction Stop } } |
                Should -Throw "*'ssh://kvm1:2222/run/vm/web1.sock*Permission denied*" -ErrorId 'SshAccessDenied,*'
            Invoke-There { (Connect-QemuGuestAgent -HostName kvm1 -Port 2222 -SocketPath /run/vm/web1.sock -KeyFilePath /etc/ssh/other).HostName } | Should -Be 'kvm1'
        }

        It 'is that sudo refuses' {
            Invoke-There { '#!/bin/sh', 'echo "sudo: a password is required" >&2; exit 1' | ssh kvm2 'cat > /run/bin/sudo; chmod +x /run/bin/sudo' }
            { Invoke-There { Find-QemuGuestAgent -HostName kvm2 -Sudo -ErrorAction Stop } } | Should -Throw '*a password is required*' -ErrorId 'SshSudoDenied,*'
            { Invoke-There { Connect-QemuGuestAgent ssh://kvm2/run/vm/web1.sock?sudo -ErrorAction Stop } } | Should -Throw '*a password is required*' -ErrorId 'SshSudoDenied,*'
        }

        It 'is asked at a terminal, but never in a job' @needsTerminal {
            $said = Invoke-There {
                Set-Content /srv/ask.ps1 @"
Import-Module '$ModulePath'
`$endpoint = 'ssh://kvm1/run/vm/web1.sock?GlobalKnownHostsFile=/dev/null&UserKnownHostsFile=/srv/known'
Start-Job { Import-Module '$ModulePath'; Connect-QemuGuestAgent `$using:endpoint -ErrorVariable failed -ErrorAction SilentlyContinue; `$failed.FullyQualifiedErrorId } |
    Receive-Job -Wait
"now `$((Connect-QemuGuestAgent `$endpoint -TimeoutSeconds 60).State)"
"@
                # A terminal tells where its cursor is when it is asked; the answer is typed when ssh asks for it.
                bash -c @'
                    coproc script -qec "$0 -NoProfile -File /srv/ask.ps1" /dev/null
                    while IFS= read -r -d '' -n 1 -u ${COPROC[0]} next; do
                        said+=$next
                        case $said in
                            *$'\e[6n') printf '\e[1;1R' >&${COPROC[1]};;
                            *'(yes/no/[fingerprint])? ') echo yes >&${COPROC[1]};;
                        esac
                    done
                    echo "$said"
'@ $pwsh
            }
            "$said" | Should -Match '(?s)SshHostKeyUnknown,.*\(yes/no/\[fingerprint\]\)\?.*now Ready'
            "$said" | Should -Not -Match '(?s)yes/no.*SshHostKeyUnknown'
        }
    }
}
