BeforeDiscovery {
    . $PSScriptRoot/Common.ps1
    $noSocat = -not (Get-Command socat -CommandType Application -ErrorAction Ignore)
    $cannotBeOther = -not ($IsLinux -and [Environment]::UserName -eq 'root' -and (Get-Command setpriv -CommandType Application -ErrorAction Ignore))
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
}

Describe 'Every way in' {
    AfterEach { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It '<Parameters.Keys> is <Endpoint>' -ForEach @(
        @{ Parameters = @{ LibvirtDomain = 'web1'; LibvirtUri = 'nonsense:///system' }; Endpoint = 'libvirt+nonsense:///system?domain=web1' }
        @{ Parameters = @{ Program = 'no-such-program'; ProgramArguments = '-a', 'b c', '' }; Endpoint = "exec:no-such-program -a 'b c' ''" }
        @{ Parameters = @{ PipeName = 'no-such-pipe' }; Endpoint = 'pipe:no-such-pipe' }
        @{ Parameters = @{ SerialPort = '/dev/no-such-port' }; Endpoint = 'serial:/dev/no-such-port' }
        @{ Parameters = @{ SerialPort = '/dev/no-such-port'; BaudRate = 9600 }; Endpoint = 'serial:/dev/no-such-port?baud=9600' }
        @{ Parameters = @{ SocketPath = '@no-such-name' }; Endpoint = 'unix:@no-such-name' }
    ) {
        Connect-QemuGuestAgent @Parameters -ErrorVariable failed -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $failed[0].Exception.Message | Should -Match ([regex]::Escape("'$Endpoint'"))
        $failed[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
    }

    It '<Endpoint> is <ErrorId>' -ForEach @(
        @{ Endpoint = 'exec:no-such-program'; ErrorId = 'EndpointProgramNotStarted' }
        @{ Endpoint = if ($OnWindows) { 'exec:cmd /c "echo no route >&2 & exit 255"' } else { "exec:sh -c 'echo no route >&2; exit 255'" }; ErrorId = 'ConnectionLost' }
        @{ Endpoint = 'exec:''open'; ErrorId = 'EndpointMalformed' }
        @{ Endpoint = 'pipe:no-such-pipe'; ErrorId = 'EndpointNotFound' }
        @{ Endpoint = 'serial:/dev/no-such-port'; ErrorId = if ($IsLinux) { 'EndpointNotFound' } else { 'EndpointNotSupported' } }
        @{ Endpoint = 'serial:/dev/null'; ErrorId = if ($IsLinux) { 'EndpointUnreachable' } else { 'EndpointNotSupported' } }
        @{ Endpoint = 'serial:ttyS0'; ErrorId = 'EndpointMalformed' }
        @{ Endpoint = 'vsock:3'; ErrorId = 'EndpointMalformed' }
        @{ Endpoint = 'libvirt:'; ErrorId = 'EndpointMalformed' }
        @{ Endpoint = 'unix:@no-such-name'; ErrorId = if ($IsLinux) { 'EndpointRefused' } else { 'EndpointNotSupported' } }
        @{ Endpoint = 'unix:/no/such/socket'; ErrorId = if ($NeedsUnixSockets.Skip) { 'EndpointNotSupported' } else { 'EndpointNotFound' } }
    ) {
        Connect-QemuGuestAgent $Endpoint -ErrorVariable failed -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $failed[0].FullyQualifiedErrorId | Should -BeLike "$ErrorId,*"
        $failed[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
    }

    It 'tells a pipe that serves another from one that is not there' -Skip:(-not $OnWindows) -Tag 'elsewhere the next one waits in line' {
        $server = [IO.Pipes.NamedPipeServerStream]::new("qga-$PID", 'InOut', 1)
        $client = [IO.Pipes.NamedPipeClientStream]::new('.', "qga-$PID", 'InOut')
        $client.Connect()
        { Connect-QemuGuestAgent "pipe:qga-$PID" -ErrorAction Stop } | Should -Throw -ErrorId 'EndpointBacklogFull,*'
        $client.Dispose()
        $server.Dispose()
    }

    It 'completes with the kinds there are' {
        $offers = (TabExpansion2 'Connect-QemuGuestAgent -Endpoint lib').CompletionMatches
        $offers.CompletionText | Should -Contain 'libvirt:'
        (TabExpansion2 'Connect-QemuGuestAgent -Endpoint ').CompletionMatches.CompletionText | Should -Contain 'exec:'
    }

    It 'completes -Endpoint of <_>' -ForEach 'Get-QemuGuest', 'Wait-QemuGuestAgent', 'Invoke-QemuGuestAgentCommand' {
        (TabExpansion2 "$_ -Endpoint emb").CompletionMatches.CompletionText | Should -Contain 'embedded:'
    }

    It 'completes a path' {
        $null = New-Item -ItemType File (Join-Path $TestDrive 'web1.sock')
        (TabExpansion2 "Connect-QemuGuestAgent $(Join-Path $TestDrive 'we')").CompletionMatches.ListItemText | Should -Be 'web1.sock'
    }
}

Describe 'A host with an agent' @NeedsRealAgent {
    BeforeAll {
        $agent = Start-RealAgent
        $name = "vm-$([guid]::NewGuid().ToString('N').Substring(0, 8))"

        # A process with the command line of a QEMU: the name is what the finder goes by.
        $line = "exec -a qemu-kvm bash -c 'while :; do sleep 1; done' x -name guest=$name -chardev " +
            "socket,id=qga0,path=$($agent.Folder)/qga.sock,server=on,wait=off -device virtserialport,chardev=qga0,name=org.qemu.guest_agent.0"
        $qemu = Start-Process bash '-c', "`"$line`"" -PassThru
        Wait-Until { Find-QemuGuestAgent $name }
    }

    AfterEach { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    AfterAll {
        if ($qemu -and -not $qemu.HasExited) { $qemu.Kill($true) }
        if ($agent) { Stop-RealAgent $agent }
    }

    It 'is found, and nothing is opened by that' {
        $found = Find-QemuGuestAgent $name
        $found.PSObject.TypeNames[0] | Should -Be 'QemuGuestAgent.Channel'
        $found.Endpoint | Should -Be $agent.Endpoint
        $found.Source | Should -Be 'QEMU'
        $found.State | Should -Be 'Free'
        $found.ProcessId | Should -Be $qemu.Id
        $found.Owner | Should -Be ([Environment]::UserName)
        $found.IsTrusted | Should -BeTrue
        ($found | Out-String -Width 200) | Should -Match "Owner.*\n.*\n.*Free +$([Environment]::UserName) "
    }

    It 'is found, connected to and asked in one line' {
        $guest = Find-QemuGuestAgent $name | Connect-QemuGuestAgent | Get-QemuGuest
        $guest.PSGuestName | Should -Be $name
        $guest.HostName | Should -Not -BeNullOrEmpty
    }

    It 'is meant by its name, whatever its session is called' {
        (Get-QemuGuest $name).PSGuestName | Should -Be $name
        ("$name", "$($name.Substring(0, 8))*" | Get-QemuGuest).PSGuestName | Should -Be $name, $name
        (Find-QemuGuestAgent $name | Get-QemuGuest).PSGuestName | Should -Be $name
        (Get-QemuGuest "$(Split-Path $agent.Endpoint.Substring(5))/*.sock").PSGuestName | Should -Be 'qga'
        $session = Connect-QemuGuestAgent $name
        $session.Name | Should -Be $name
        Disconnect-QemuGuestAgent $session
        $other = Connect-QemuGuestAgent $agent.Endpoint -Name other
        (Get-QemuGuest $name, $agent.Endpoint, $other).PSGuestName | Should -Be 'other'
        (Get-QemuGuest "$name*").PSGuestName | Should -Be 'other'
        (Wait-QemuGuestAgent $name).Id | Should -Be $other.Id
    }

    It 'is offered by completion' {
        (TabExpansion2 "Connect-QemuGuestAgent $($agent.Endpoint.Substring(0, 12))").CompletionMatches.CompletionText |
            Should -Contain $agent.Endpoint
    }

    It 'is kept from a second session, which is told who has it' {
        $first = Connect-QemuGuestAgent $agent.Endpoint
        Connect-QemuGuestAgent $agent.Endpoint -ErrorVariable failed -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'EndpointInUse,*'
        $failed[0].Exception.Message | Should -BeLike '*another session of this process*'
        (Find-QemuGuestAgent $name).State | Should -Be 'InUse'
        Disconnect-QemuGuestAgent $first
        (Connect-QemuGuestAgent $agent.Endpoint).State | Should -Be 'Ready'
    }

    It 'is kept from a session of another process, which is told whose it is' {
        $first = Connect-QemuGuestAgent $agent.Endpoint
        $told = Start-Job {
            Import-Module $using:ModulePath
            try { Connect-QemuGuestAgent ($using:agent).Endpoint -ErrorAction Stop } catch { "$_" }
        } | Receive-Job -Wait -AutoRemoveJob
        $told | Should -BeLike "*in use by process $PID (*)*"
        (Invoke-QemuGuestAgentCommand $first guest-ping).PSGuestName | Should -Not -BeNullOrEmpty
    }

    It 'is reached through a program' -Skip:$noSocat -Tag 'it needs socat: apt-get install socat' {
        $path = $agent.Endpoint.Substring('unix:'.Length)
        $session = Connect-QemuGuestAgent -Program socat -ProgramArguments '-', "UNIX-CONNECT:$path"
        $session.Name | Should -Be 'socat'
        $session.Endpoint | Should -Be "exec:socat - UNIX-CONNECT:$path"
        (Get-QemuGuest $session).HostName | Should -Not -BeNullOrEmpty
    }

    It 'ends a program, with all that it started, when PowerShell ends by <End>' -Skip:$noSocat -Tag 'it needs socat: apt-get install socat' -ForEach @(
        @{ End = 'exit'; Script = 'exit' }
        @{ End = 'Disconnect and exit'; Script = 'Disconnect-QemuGuestAgent $vm; exit' }
        @{ End = 'SIGTERM'; Script = '& /bin/kill -TERM $PID; Start-Sleep 600' }
        @{ End = 'SIGHUP'; Script = '& /bin/kill -HUP $PID; Start-Sleep 600' }
    ) {
        $ids = Join-Path $TestDrive 'ids'
        $shell = "echo `$`$ > $ids; sleep 1000 & echo `$! >> $ids; socat - UNIX-CONNECT:$($agent.Endpoint.Substring('unix:'.Length)); sleep 1000"
        $whole = "Import-Module '$ModulePath'; `$vm = Connect-QemuGuestAgent -Program sh -ProgramArguments '-c', '$shell' -ErrorAction Stop; $Script"

        # Where nohup runs the tests, it would ignore SIGHUP too.
        $command = 'env', '--default-signal', $pwsh, '-noprofile', '-noninteractive', '-encodedcommand', ([Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($whole)))
        $process = Start-Process $command[0] $command[1..$command.Count] -PassThru
        try {
            $process.WaitForExit(120000) | Should -BeTrue
        }
        finally {
            if (-not $process.HasExited) { $process.Kill() }
        }

        $started = Get-Content $ids
        $started.Count | Should -Be 2
        Wait-Until { -not ($started | Where-Object { Test-Running $_ }) }
    }
}

Describe 'Another user of the host' -Skip:$cannotBeOther -Tag 'only root can run something as another user' {
    BeforeAll {
        # A process that looks like a QEMU, and a socket where its guest would be.
        $name = "vm-$([guid]::NewGuid().ToString('N').Substring(0, 8))"
        $path = "/tmp/$name.sock"
        $listener = [Net.Sockets.Socket]::new('Unix', 'Stream', 'Unspecified')
        $listener.Bind([Net.Sockets.UnixDomainSocketEndPoint]::new($path))
        $listener.Listen(1)
        chown nobody $path
        $line = "exec -a qemu-system-x86_64 bash -c 'while :; do sleep 1; done' x -name $name -chardev " +
            "socket,id=qga0,path=$path,server=on,wait=off -device virtserialport,chardev=qga0,name=org.qemu.guest_agent.0"
        $qemu = Start-Process setpriv '--reuid=65534', '--regid=65534', '--clear-groups', 'bash', '-c', "`"$line`"" -PassThru -WorkingDirectory /
        Wait-Until { Find-QemuGuestAgent $name -IncludeUntrusted }
    }

    AfterAll {
        if ($qemu -and -not $qemu.HasExited) { $qemu.Kill($true) }
        if ($listener) { $listener.Dispose() }
    }

    It 'is given nothing by Find | Connect, and a warning says so' {
        Find-QemuGuestAgent $name -WarningVariable warnings 3> $null | Connect-QemuGuestAgent | Should -BeNullOrEmpty
        $warnings | Should -BeExactly "Channels that other users control are left out, because these users could read all traffic: '$name' (unix:$path, nobody). Use -IncludeUntrusted to list them."
        $listener.Poll(0, 'SelectRead') | Should -BeFalse
    }

    It 'is listed by -IncludeUntrusted, and its view says whose it is' {
        $found = Find-QemuGuestAgent $name -IncludeUntrusted -WarningVariable warnings
        $warnings | Should -BeNullOrEmpty
        $found.Owner | Should -Be 'nobody'
        $found.IsTrusted | Should -BeFalse
        ($found | Out-String -Width 200) | Should -Match 'Free +nobody '
    }

    It 'is not offered by completion' {
        (TabExpansion2 "Connect-QemuGuestAgent unix:/tmp/$name").CompletionMatches.CompletionText | Should -Not -Contain "unix:$path"
    }

    It 'is not warned of where other names are asked for' {
        Find-QemuGuestAgent no-such-* -WarningVariable warnings
        $warnings | Should -BeNullOrEmpty
    }
}

Describe 'Fleets' {
    AfterEach { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    # In another process, as with Invoke-Command -HostName: what comes back has been serialized.
    It 'brings back what <Command> writes, with its type and its guest' -ForEach @(
        @{ Command = 'Get-QemuGuest'; Type = 'Summary' }
        @{ Command = 'Get-QemuGuestNetworkInterface'; Type = 'NetworkInterface' }
        @{ Command = 'Get-QemuGuestFileSystem'; Type = 'FileSystem' }
        @{ Command = 'Get-QemuGuestUser'; Type = 'User' }
        @{ Command = 'Get-QemuGuestProcessor'; Type = 'Processor' }
        @{ Command = 'Get-QemuGuestTime'; Type = 'Time' }
        @{ Command = 'Invoke-QemuGuestAgentCommand -Command guest-get-osinfo'; Type = $null }
        @{ Command = 'Invoke-QemuGuestProcess -FilePath /bin/echo -ArgumentList hello'; Type = 'ProcessResult' }
    ) {
        $here = Connect-QemuGuestAgent embedded: -Name web1
        $expected = @(& ([scriptblock]::Create("`$here | $Command")))
        $arrived = @(Start-Job {
                Import-Module $using:ModulePath
                & ([scriptblock]::Create("[pscustomobject]@{ Name = 'web1'; Endpoint = 'embedded:' } | Connect-QemuGuestAgent | $using:Command"))
            } | Receive-Job -Wait -AutoRemoveJob)
        $arrived.Count | Should -Be $expected.Count
        $arrived.Count | Should -BeGreaterThan 0
        for ($i = 0; $i -lt $arrived.Count; $i++) {
            $arrived[$i].PSGuestName | Should -Be 'web1'
            if ($Type) {
                $arrived[$i].PSObject.TypeNames | Should -Contain "Deserialized.$($expected[$i].PSObject.TypeNames[0])"
            }
            # A job adds where it ran.
            $names = $arrived[$i].PSObject.Properties.Name | Where-Object { $_ -notin 'RunspaceId', 'PSSourceJobInstanceId', 'PSComputerName', 'PSShowComputerName' }
            $names | Sort-Object | Should -Be ($expected[$i].PSObject.Properties.Name | Sort-Object)
        }
    }

    It 'works on sessions in parallel runspaces' -Skip:($PSVersionTable.PSVersion.Major -lt 7) -Tag 'it needs PowerShell 7' {
        $sessions = Connect-QemuGuestAgent embedded:, embedded:, embedded: -Name a, b, c
        $guests = $sessions | ForEach-Object -Parallel { Import-Module $using:ModulePath; Get-QemuGuest $_ } -ThrottleLimit 3
        $guests.PSGuestName | Sort-Object | Should -Be 'a', 'b', 'c'
    }
}
