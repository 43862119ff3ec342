BeforeAll { . $PSScriptRoot/Common.ps1 }

Describe 'Invoke-QemuGuestAgentCommand' {
    BeforeAll { $session = Connect-QemuGuestAgent embedded: -Name vm1 }
    AfterAll { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    Context 'Where the session stands' {
        It 'takes the session by position, by pipeline and by name of the parameter' {
            (Invoke-QemuGuestAgentCommand $session guest-get-host-name).'host-name' | Should -Be 'embedded'
            ($session | Invoke-QemuGuestAgentCommand guest-get-host-name).'host-name' | Should -Be 'embedded'
            (Invoke-QemuGuestAgentCommand -Session $session -Command guest-get-host-name).'host-name' | Should -Be 'embedded'
            ($session | Invoke-QemuGuestAgentCommand guest-sync @{ id = 7 }) | Should -Be 7
        }

        It 'takes many sessions, by position and by pipeline, and says which guest an object came from' {
            $many = Connect-QemuGuestAgent 'embedded:?host-name=h1', 'embedded:?host-name=h2' -Name g1, g2
            $byPosition = Invoke-QemuGuestAgentCommand $many guest-get-host-name
            $byPipeline = $many | Invoke-QemuGuestAgentCommand guest-get-host-name
            foreach ($results in $byPosition, $byPipeline) {
                $results | Sort-Object PSGuestName | ForEach-Object { "$($_.PSGuestName)=$($_.'host-name')" } | Should -Be 'g1=h1', 'g2=h2'
            }
        }

        It 'takes what was had by a session for the session' {
            (Get-QemuGuest $session | Invoke-QemuGuestAgentCommand guest-get-host-name).'host-name' | Should -Be 'embedded'
            (Invoke-QemuGuestAgentCommand (Get-QemuGuest $session) guest-get-host-name).'host-name' | Should -Be 'embedded'
        }

        It 'opens an endpoint for one command, and closes it' {
            $before = @(Get-QemuGuestAgent).Count
            $result = Invoke-QemuGuestAgentCommand -Endpoint 'embedded:once?host-name=one' guest-get-host-name
            $result.'host-name' | Should -Be 'one'
            $result.PSGuestName | Should -Be 'once'
            @(Get-QemuGuestAgent) | Should -HaveCount $before
            # The agent serves one client: a second connect shows that the first one has left.
            (Invoke-QemuGuestAgentCommand -Endpoint embedded:once guest-get-host-name).'host-name' | Should -Be 'one'
        }
    }

    Context 'The objects' {
        It 'has the members of the JSON, in its order' {
            $info = Invoke-QemuGuestAgentCommand $session guest-get-osinfo
            $json = (Invoke-QemuGuestAgentCommand $session guest-get-osinfo -Raw | ConvertFrom-Json).psobject.Properties.Name
            $info.psobject.Properties.Name | Should -Be ($json + 'PSGuestName')
        }

        It 'has the types of the JSON' {
            $time = Invoke-QemuGuestAgentCommand $session guest-get-time
            $time | Should -BeOfType long
            (Invoke-QemuGuestAgentCommand $session guest-info).supported_commands[0].enabled | Should -BeOfType bool
            $lo = Invoke-QemuGuestAgentCommand $session guest-network-get-interfaces | Where-Object name -EQ lo
            $lo.'ip-addresses'[0].prefix | Should -BeOfType long
            , $lo.'ip-addresses' | Should -BeOfType object[]
        }

        It 'writes the items of an array one by one' {
            $names = (Invoke-QemuGuestAgentCommand $session guest-network-get-interfaces).name
            $names | Should -Contain 'lo'
            @(Invoke-QemuGuestAgentCommand $session guest-network-get-interfaces | Select-Object -First 1) | Should -HaveCount 1
        }

        It 'makes an empty object of {}' {
            $result = Invoke-QemuGuestAgentCommand $session guest-ping
            $result | Should -BeOfType PSCustomObject
            $result.psobject.Properties.Name | Should -Be 'PSGuestName'
        }

        It 'leaves a scalar as it is in JSON' {
            Invoke-QemuGuestAgentCommand $session guest-sync @{ id = 5 } | ConvertTo-Json | Should -Be '5'
        }

        It 'writes the text with -Raw' {
            Invoke-QemuGuestAgentCommand $session guest-ping -Raw | Should -BeExactly '{}'
        }

        It 'survives Export-Clixml and back' {
            $path = Join-Path $TestDrive 'lo.xml'
            Invoke-QemuGuestAgentCommand $session guest-network-get-interfaces | Where-Object name -EQ lo | Export-Clixml $path -Depth 5
            $back = Import-Clixml $path
            $back.PSGuestName | Should -Be 'vm1'
            $back.'ip-addresses'[0].prefix | Should -BeOfType long
        }

        It 'writes nothing for a command whose success is no reply' {
            $other = Connect-QemuGuestAgent embedded:
            Invoke-QemuGuestAgentCommand $other guest-suspend-ram -Confirm:$false | Should -BeNullOrEmpty
            $other.State | Should -Be 'OutOfSync'
            Invoke-QemuGuestAgentCommand $other guest-ping | Should -Not -BeNullOrEmpty
        }
    }

    Context 'A reply of an agent that is not QEMU''s' {
        BeforeAll {
            # Runs a test with a session, $odd, whose agent answers every command so.
            function Use-Reply([string] $Reply, [scriptblock] $Test) {
                $listener = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, 0)
                $listener.Start()
                $server = [powershell]::Create().AddScript({
                    param($listener, $reply)
                    $stream = $listener.AcceptTcpClient().GetStream()
                    $latin1 = [Text.Encoding]::GetEncoding(28591)
                    $reader = [IO.StreamReader]::new($stream, $latin1)
                    while ($line = $reader.ReadLine()) {
                        $request = ConvertFrom-Json $line.TrimStart([char] 0xFF)
                        $answer = switch ($request.execute) {
                            'guest-sync-delimited' { "$([char] 0xFF){`"return`":$($request.arguments.id)}`n" }
                            'guest-info' { "{`"return`":{`"version`":`"10.0.0`",`"supported_commands`":[]},`"id`":$($request.id)}`n" }
                            default { "{`"return`":$reply,`"id`":$($request.id)}`n" }
                        }
                        $bytes = $latin1.GetBytes($answer)
                        $stream.Write($bytes, 0, $bytes.Length)
                    }
                }).AddArgument($listener).AddArgument($Reply)
                $null = $server.BeginInvoke()
                $odd = Connect-QemuGuestAgent "tcp://$($listener.LocalEndpoint)"
                try { . $Test }
                finally {
                    Disconnect-QemuGuestAgent $odd
                    $listener.Stop()
                    $server.Dispose()
                }
            }
        }

        It 'that PowerShell cannot hold is an error, and -Raw gives its text: <Reply>' -ForEach @(
            @{ Reply = '{"a":1,"A":2}'; Message = "*does not tell apart: 'a' and 'A'*" }
            @{ Reply = '[{"a":1,"b":2},{"a":1,"b":2,"A":3}]'; Message = "*does not tell apart: 'a' and 'A'*" }
            @{ Reply = '{"a":{"b":1,"B":2}}'; Message = "*does not tell apart: 'b' and 'B'*" }
            @{ Reply = '{"":1}'; Message = '*a member without a name*' }
            @{ Reply = '[{"a":1},{"PSObject":1}]'; Message = "*a name that PowerShell keeps for itself: 'PSObject'*" }
        ) {
            Use-Reply $Reply {
                Invoke-QemuGuestAgentCommand $odd guest-odd -ErrorVariable failed -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
                $failed[0].FullyQualifiedErrorId | Should -BeLike 'ReplyUnexpected,*'
                "$($failed[0])" | Should -BeLike $Message
                Invoke-QemuGuestAgentCommand $odd guest-odd -Raw | Should -BeExactly $Reply
            }
        }

        It 'has objects with the members of each, in their order' {
            $reply = '[{"a":1,"b":{"a":2,"c":[{"a":3},{"b":4,"a":5}]}},{"a":6},{"b":7,"a":8},{"a":9,"b":{"A":10}},{"\u0061":11,"b":12,"c":13},{}]'
            Use-Reply $reply {
                Invoke-QemuGuestAgentCommand $odd guest-odd | Select-Object * -ExcludeProperty PSGuestName |
                    ConvertTo-Json -Compress -Depth 9 | Should -BeExactly $reply.Replace('\u0061', 'a')
            }
        }
    }

    Context 'The arguments' {
        BeforeAll {
            # The wire itself shows how an argument was written.
            function Get-Written($Arguments) {
                $records = & {
                    $DebugPreference = 'Continue'
                    Invoke-QemuGuestAgentCommand $session guest-nonsense $Arguments -ErrorAction SilentlyContinue 5>&1
                }
                [regex]::Match("$($records[0])", '"arguments":(.*),"id":\d+}$').Groups[1].Value
            }
        }

        It 'writes <Name> as <Json>' -ForEach @(
            @{ Name = 'a whole number'; Value = @{ a = 5 }; Json = '{"a":5}' }
            @{ Name = 'a long'; Value = @{ a = 9223372036854775807 }; Json = '{"a":9223372036854775807}' }
            @{ Name = 'a ulong'; Value = @{ a = [ulong]::MaxValue }; Json = '{"a":18446744073709551615}' }
            @{ Name = 'a double'; Value = @{ a = 1.5 }; Json = '{"a":1.5}' }
            @{ Name = 'true'; Value = @{ a = $true }; Json = '{"a":true}' }
            @{ Name = 'a switch'; Value = @{ a = [switch]$true }; Json = '{"a":true}' }
            @{ Name = 'null'; Value = @{ a = $null }; Json = '{"a":null}' }
            @{ Name = 'text'; Value = @{ a = 'x y' }; Json = '{"a":"x y"}' }
            @{ Name = 'an array of one'; Value = @{ a = @('x') }; Json = '{"a":["x"]}' }
            @{ Name = 'an empty array'; Value = @{ a = @() }; Json = '{"a":[]}' }
            @{ Name = 'bytes'; Value = @{ a = [byte[]](1, 2, 255) }; Json = '{"a":"AQL/"}' }
            @{ Name = 'a nested list'; Value = @{ a = @(@{ b = @(1, 2) }) }; Json = '{"a":[{"b":[1,2]}]}' }
            @{ Name = 'an ordered dictionary'; Value = [ordered]@{ z = 1; a = 2 }; Json = '{"z":1,"a":2}' }
            @{ Name = 'a custom object'; Value = [pscustomobject]@{ z = 1; a = [pscustomobject]@{ b = 'c' } }; Json = '{"z":1,"a":{"b":"c"}}' }
            @{ Name = 'a wrapped value'; Value = @{ a = (Write-Output 'x' | Add-Member note 1 -PassThru) }; Json = '{"a":"x"}' }
            @{ Name = 'JSON text'; Value = ' {"z": [1, null], "a": 1e3}'; Json = '{"z":[1,null],"a":1000}' }
            @{ Name = 'no arguments'; Value = @{}; Json = '{}' }
        ) {
            Get-Written $Value | Should -BeExactly $Json
        }

        It 'refuses <Name> with <ErrorId>' -ForEach @(
            @{ Name = 'a script block'; ErrorId = 'ArgumentTypeUnsupported'; Make = { @{ a = { 1 } } } }
            @{ Name = 'a date'; ErrorId = 'ArgumentTypeUnsupported'; Make = { @{ a = Get-Date } } }
            @{ Name = 'a secret'; ErrorId = 'ArgumentTypeUnsupported'; Make = { @{ a = [securestring]::new() } } }
            @{ Name = 'half a surrogate pair'; ErrorId = 'ArgumentTextInvalid'; Make = { @{ a = "x$([char]0xD83D)" } } }
            @{ Name = 'a hashtable that contains itself'; ErrorId = 'ArgumentCycle'; Make = { $h = @{}; $h.a = $h; $h } }
            @{ Name = 'an object that contains itself'; ErrorId = 'ArgumentCycle'; Make = { $o = [pscustomobject]@{ a = 1 }; $o.a = $o; $o } }
            @{ Name = 'not a number'; ErrorId = 'ArgumentNumberInvalid'; Make = { @{ a = [double]::NaN } } }
            @{ Name = 'text instead of names'; ErrorId = 'ArgumentsNotAnObject'; Make = { 'path=/x' } }
            @{ Name = 'text that is no JSON'; ErrorId = 'RequestTextInvalid'; Make = { '{path: /x}' } }
        ) {
            $value = & $Make
            { Invoke-QemuGuestAgentCommand $session guest-ping $value } | Should -Throw -ErrorId "$ErrorId,*"
        }

        It 'takes a whole request as virsh does, and no arguments beside it' {
            Invoke-QemuGuestAgentCommand $session '{"execute":"guest-sync","arguments":{"id":45}}' | Should -Be 45
            $session | Invoke-QemuGuestAgentCommand '{"execute": "guest-sync", "arguments": {"id": 46}}' | Should -Be 46
            { Invoke-QemuGuestAgentCommand $session '{"execute":"guest-sync"}' @{ id = 45 } } | Should -Throw -ErrorId 'RequestTextInvalid,*'
            { Invoke-QemuGuestAgentCommand $session '{"execute":"guest-sync"' } | Should -Throw -ErrorId 'RequestTextInvalid,*'
        }

        It 'sends bytes so that the guest gets them' {
            $handle = Invoke-QemuGuestAgentCommand $session guest-file-open @{ path = '/tmp/bytes'; mode = 'w+' }
            $bytes = [byte[]](0..255)
            (Invoke-QemuGuestAgentCommand $session guest-file-write @{ handle = $handle; 'buf-b64' = $bytes }).count | Should -Be 256
            $null = Invoke-QemuGuestAgentCommand $session guest-file-seek @{ handle = $handle; offset = 0; whence = 'set' }
            $read = Invoke-QemuGuestAgentCommand $session guest-file-read @{ handle = $handle }
            [Convert]::FromBase64String($read.'buf-b64') | Should -Be $bytes
            $null = Invoke-QemuGuestAgentCommand $session guest-file-close @{ handle = $handle }
        }
    }

    Context 'What the agent refuses' {
        It 'is <ErrorId>: <Name>' -ForEach @(
            @{ Name = 'an unknown command'; ErrorId = 'CommandNotFound'; Command = 'guest-get-osinformation'; Arguments = $null }
            @{ Name = 'a name that is none'; ErrorId = 'CommandNameInvalid'; Command = 'guest ping'; Arguments = $null }
            @{ Name = 'an argument of the wrong type'; ErrorId = 'AgentError'; Command = 'guest-sync'; Arguments = @{ id = 'x' } }
            @{ Name = 'a missing argument'; ErrorId = 'AgentError'; Command = 'guest-sync'; Arguments = $null }
            @{ Name = 'an unknown argument'; ErrorId = 'AgentError'; Command = 'guest-ping'; Arguments = @{ foo = 1 } }
        ) {
            { Invoke-QemuGuestAgentCommand $session $Command $Arguments -ErrorAction Stop } | Should -Throw -ErrorId "$ErrorId,*"
        }

        It 'suggests the name that was meant' {
            Invoke-QemuGuestAgentCommand $session osinfo -ErrorVariable failed -ErrorAction SilentlyContinue
            "$failed" | Should -BeLike "*Did you mean 'guest-get-osinfo'*"
        }

        It 'tells a command that policy disabled from one that is not there' {
            $other = Connect-QemuGuestAgent 'embedded:?blocked=guest-exec'
            { Invoke-QemuGuestAgentCommand $other guest-exec @{ path = '/bin/true' } -ErrorAction Stop } | Should -Throw -ErrorId 'CommandDisabled,*'
        }

        It 'has the session as target, fails for that session only, and shows the remedy' {
            $good = Connect-QemuGuestAgent embedded: -Name good
            $bad = Connect-QemuGuestAgent 'embedded:?blocked=guest-get-time' -Name bad
            $results = Invoke-QemuGuestAgentCommand $good, $bad guest-get-time -ErrorVariable failed -ErrorAction SilentlyContinue
            @($results) | Should -HaveCount 1
            $failed | Should -HaveCount 1
            $failed[0].TargetObject | Should -Be $bad
            $failed[0].CategoryInfo.Category | Should -Be 'NotEnabled'
            ($failed[0] | Out-String) | Should -BeLike '*Allow it in the guest*'
        }
    }

    It 'does nothing with -WhatIf' {
        $other = Connect-QemuGuestAgent embedded:
        Invoke-QemuGuestAgentCommand $other guest-shutdown -WhatIf
        $other.State | Should -Be 'Ready'
    }

    It 'masks what is secret in the debug stream' {
        $records = & {
            $DebugPreference = 'Continue'
            Invoke-QemuGuestAgentCommand $session guest-exec @{ path = '/bin/cat'; 'input-data' = [byte[]](1..9); env = @('TOKEN=hunter2') } 5>&1
        }
        $sent = "$($records[0])"
        $sent | Should -BeLike '*"path":"/bin/cat"*'
        $sent | Should -Not -BeLike '*hunter2*'
        $sent | Should -BeLike '*"input-data":"`*`*`*"*'
    }
}
