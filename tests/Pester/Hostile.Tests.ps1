BeforeDiscovery {
    . $PSScriptRoot/Common.ps1

    $looks = @(
        'Get-QemuGuest', 'Get-QemuGuestNetworkInterface', 'Get-QemuGuestNetworkRoute', 'Get-QemuGuestFileSystem', 'Get-QemuGuestDisk'
        'Get-QemuGuestDiskStatistic', 'Get-QemuGuestProcessor', 'Get-QemuGuestProcessorStatistic', 'Get-QemuGuestMemoryBlock'
        'Get-QemuGuestUser', 'Get-QemuGuestTime', 'Get-QemuGuestLoad', 'Get-QemuGuestDevice', 'Get-QemuGuestAgentCommand'
        'Test-QemuGuestAgent', 'Sync-QemuGuestAgent', 'Optimize-QemuGuestFileSystem'
    ) | ForEach-Object { @{ Command = $_; Arguments = @{} } }
    $looks += @{ Command = 'Get-QemuGuestSshKey'; Arguments = @{ UserName = 'root' } }
    $refused = @(
        @{ Command = 'Invoke-QemuGuestProcess'; Arguments = @{ FilePath = 'true' } }
        @{ Command = 'Get-QemuGuestContent'; Arguments = @{ Path = '/etc/hostname' } }
        @{ Command = 'Set-QemuGuestTime'; Arguments = @{} }
        @{ Command = 'Suspend-QemuGuestFileSystem'; Arguments = @{ Confirm = $false } }
    )
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $evil = '\u001b[2J\u0007\u000aevil\u009b\u202e'

    # An agent that answers as the embedded one does, but with the same text in place of each.
    function Start-HostileAgent([string] $Path, [hashtable] $Replies) {
        $listener = [Net.Sockets.Socket]::new([Net.Sockets.AddressFamily]::Unix, [Net.Sockets.SocketType]::Stream, [Net.Sockets.ProtocolType]::Unspecified)
        $listener.Bind([Net.Sockets.UnixDomainSocketEndPoint]::new($Path))
        $listener.Listen(4)
        $server = [powershell]::Create().AddScript({
            param($listener, $replies, $evil)
            $stream = [Net.Sockets.NetworkStream]::new($listener.Accept(), $true)
            $reader = [IO.StreamReader]::new($stream, [Text.Encoding]::Latin1)
            while ($null -ne ($line = $reader.ReadLine())) {
                $request = $line.TrimStart([char]0xff) | ConvertFrom-Json
                $id = if ($request.id) { ", `"id`": $($request.id)" }
                $reply = if ($request.execute -like 'guest-sync*') { "{`"return`": $($request.arguments.id)}" }
                    elseif ($replies[$request.execute]) { "{`"return`": $($replies[$request.execute])$id}" }
                    else { "{`"error`": {`"class`": `"$evil`", `"desc`": `"$evil`"}$id}" }
                $bytes = [Text.Encoding]::Latin1.GetBytes($(if ($request.execute -eq 'guest-sync-delimited') { [string][char]0xff }) + $reply + "`n")
                $stream.Write($bytes, 0, $bytes.Length)
            }
        }).AddArgument($listener).AddArgument($Replies).AddArgument($evil)
        $null = $server.BeginInvoke()
        [pscustomobject]@{ Listener = $listener; Server = $server }
    }

    # All that a terminal or a log may be shown of what was written, to any stream. Colours are PowerShell's own.
    function Get-Shown($Written) {
        foreach ($item in $Written) {
            $item | Out-String
            $item | Format-List * -Force | Out-String
            "$item"
            if ($item -is [Management.Automation.ErrorRecord]) { Get-Error $item | Out-String }
        }
    }

    function Assert-Harmless([string[]] $Texts) {
        $Texts -replace '\e\[[\d;]*m' | Should -Not -Match '[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]'
    }
}

Describe 'A guest whose every text acts on a terminal' @NeedsUnixSockets {
    BeforeAll {
        $replies = @{}
        foreach ($endpoint in 'embedded:', 'embedded:?os=windows') {
            $embedded = Connect-QemuGuestAgent $endpoint
            $names = (Invoke-QemuGuestAgentCommand $embedded guest-info).supported_commands.name
            foreach ($name in $names -match '^guest-(get|network-get|info)') {
                $replies[$name] = (Invoke-QemuGuestAgentCommand $embedded $name -Raw) -replace '(?<=[:\[,]\s*)"[^"]*"(?!\s*:)', "`"$evil`""
            }
        }

        # The commands that it has it names rightly, and one more.
        $known = $names + 'guest-ssh-get-authorized-keys', 'guest-fstrim' | ForEach-Object { "{`"name`": `"$_`", `"enabled`": true}" }
        $replies['guest-info'] = "{`"version`": `"$evil`", `"supported_commands`": [$($known -join ', '), {`"name`": `"$evil`", `"enabled`": false}]}"
        $replies['guest-ssh-get-authorized-keys'] = "{`"keys`": [`"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA $evil`", `"$evil`"]}"
        $replies['guest-fstrim'] = "{`"paths`": [{`"path`": `"$evil`", `"error`": `"$evil`"}, {`"path`": `"$evil`", `"trimmed`": 1, `"minimum`": 0}]}"
        $agent = Start-HostileAgent (Join-Path $TestDrive 'agent.sock') $replies
        $session = Connect-QemuGuestAgent "unix:$(Join-Path $TestDrive 'agent.sock')" -Name vm1
        $rendering = $PSStyle.OutputRendering
        $PSStyle.OutputRendering = 'Ansi'
    }
    AfterAll {
        $PSStyle.OutputRendering = $rendering
        Get-QemuGuestAgent | Disconnect-QemuGuestAgent
        $agent.Server.Dispose()
        $agent.Listener.Dispose()
    }

    It 'is shown harmless by <Command>' -ForEach $looks {
        $written = & $Command $session @Arguments -Verbose -Debug -ErrorAction Continue *>&1
        $written | Should -Not -BeNullOrEmpty
        Assert-Harmless (Get-Shown $written)
        "$(Get-Shown $written)" | Should -BeLike '*vm1*'
    }

    It 'is shown harmless by the session itself' {
        $session.AgentVersion | Should -BeLike '\u001B*evil*'
        Assert-Harmless (Get-Shown $session)
    }

    It 'is shown harmless by the error of <Command>' -ForEach $refused {
        $written = & $Command $session @Arguments -Verbose -Debug -ErrorAction Continue *>&1
        $failed = @($written | Where-Object { $_ -is [Management.Automation.ErrorRecord] })
        $failed | Should -Not -BeNullOrEmpty
        Assert-Harmless (Get-Shown $written)
    }

    It 'tells the class of the agent''s error harmless' {
        Invoke-QemuGuestAgentCommand $session guest-file-open @{ path = '/x' } -ErrorVariable failed -ErrorAction SilentlyContinue
        $failed[0].Exception.AgentErrorClass | Should -Be '\u001B[2J\u0007\u000Aevil\u009B\u202E'
        Assert-Harmless (Get-Shown $failed[0])
    }
}

Describe 'Copies of files whose names act on a terminal' @NeedsRealAgent {
    It 'are shown harmless' {
        $agent = Start-RealAgent
        $to = New-Item (Join-Path $agent.Folder 'to') -ItemType Directory
        $rendering = $PSStyle.OutputRendering
        $PSStyle.OutputRendering = 'Ansi'
        try {
            $session = Connect-QemuGuestAgent $agent.Endpoint -Name real
            $name = Join-Path $agent.Folder "a$([char]27)[2Jb"
            [IO.File]::WriteAllText($name, 'text')
            $written = Copy-QemuGuestItem -LiteralPath $name $to -ToSession $session -PassThru -Verbose -ErrorAction Continue *>&1
            [IO.Directory]::GetFiles($to) | Should -Be (Join-Path $to "a$([char]27)[2Jb")
            $written | Should -Not -BeNullOrEmpty
            Assert-Harmless (Get-Shown $written)
        }
        finally {
            $PSStyle.OutputRendering = $rendering
            Get-QemuGuestAgent | Disconnect-QemuGuestAgent
            Stop-RealAgent $agent
        }
    }
}

Describe 'A guest whose PowerShell is not one' @NeedsRealAgent {
    BeforeAll {
        $bin = New-Item (Join-Path $TestDrive 'bin') -ItemType Directory
        $recordPath = Join-Path $TestDrive 'record'

        # It writes what is in a file as a record, with the token that it was given, and the end.
        Set-Content (Join-Path $bin 'pwsh') @"
#!/bin/sh
IFS= read -r line
token=`$(printf %s "`$line" | base64 -d | tr -d '\r\n' | sed 's/.*<S N="Key">Token<\/S> *<S N="Value">\([0-9a-f]*\)<.*/\1/')
echo "`$token Output `$(base64 -w0 '$recordPath')"
echo "`$token End `$(printf '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"><Nil /></Objs>' | base64 -w0)"
"@
        chmod +x (Join-Path $bin 'pwsh')
        $path = $env:PATH
        $env:PATH = "${bin}:$path"
        $agent = Start-RealAgent
        $env:PATH = $path
    }
    AfterAll {
        Stop-RealAgent $agent
    }

    It 'does not end the PowerShell here' {
        $records = @(
            '<Obj RefId="0"><LST><Ref RefId="0" /></LST></Obj>'
            '<Obj RefId="0"><LST><Obj RefId="1"><LST><Ref RefId="0" /></LST></Obj></LST></Obj>'
            '<Obj RefId="x"><LST><Obj RefId="0"><LST /></Obj>' +
                (-join (1..20000 | ForEach-Object { "<Obj RefId=`"$_`"><LST><Ref RefId=`"$($_ - 1)`" /></LST></Obj>" })) + '</LST></Obj>'
            ('<Obj><LST>' * 5000) + ('</LST></Obj>' * 5000)
            "<$([char]27)[2J>"
        )
        for ($i = 0; $i -lt $records.Count; $i++) {
            Set-Content "$recordPath.$i" "<Objs Version=`"1.1.0.1`" xmlns=`"http://schemas.microsoft.com/powershell/2004/04`">$($records[$i])</Objs>"
        }

        $output = Invoke-Fresh @"
Import-Module '$ModulePath'
`$session = Connect-QemuGuestAgent '$($agent.Endpoint)'
foreach (`$i in 0..$($records.Count - 1)) {
    Copy-Item "$recordPath.`$i" '$recordPath'
    `$got = Invoke-QemuGuestScript `$session { 1 } -ErrorVariable failed -ErrorAction SilentlyContinue
    `$null = `$got.me, @(`$got)[-1].me
    "`$(`$failed[0].FullyQualifiedErrorId) `$(`$failed[0].Exception.Message)"
    if ((`$failed[0] | Format-List * -Force | Out-String) -match '\x1b\[2J') { 'it acts on the terminal' }
}
'alive'
"@
        $output | Should -HaveCount ($records.Count + 1)
        $output[0..($records.Count - 1)] | Should -BeLike 'ReplyUnexpected,*'
        $output[0, 1] | Should -BeLike '*refers to itself*'
        $output[2, 3] | Should -BeLike '*nested deeper*'
        $output[-1] | Should -Be 'alive'
    }

    It 'gives what is a record' {
        Set-Content $recordPath '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"><I32>5</I32></Objs>'
        $session = Connect-QemuGuestAgent $agent.Endpoint
        Invoke-QemuGuestScript $session { 1 } | Should -Be 5
        Disconnect-QemuGuestAgent $session
    }
}

Describe 'A guest whose names act on the command line' @NeedsUnixSockets {
    BeforeAll {
        $names = '-Force', "x'; throw 'run'; '", '$(throw 1)', 'a b', '[a]*', "x\u2019; throw 2", $evil
        $list = { param($member) '[' + (@($names | ForEach-Object { '{"' + $member + '": "' + $_ + '", "type": "x", "login-time": 1}' }) -join ', ') + ']' }
        $replies = @{
            'guest-info' = '{"version": "1", "supported_commands": []}'
            'guest-get-users' = & $list user
            'guest-get-fsinfo' = & $list mountpoint
            'guest-network-get-interfaces' = & $list name
        }
        $agent = Start-HostileAgent (Join-Path $TestDrive 'names.sock') $replies
        $session = Connect-QemuGuestAgent "unix:$(Join-Path $TestDrive 'names.sock')" -Name vm1
    }
    AfterAll {
        Disconnect-QemuGuestAgent $session
        $agent.Listener.Dispose()
        $agent.Server.Dispose()
    }

    It 'completes each to one literal argument: <_>' -ForEach @(
        'Get-QemuGuestUser $session -UserName ', 'Get-QemuGuestSshKey $session -UserName ', 'Suspend-QemuGuestFileSystem $session -MountPoint '
        'Get-QemuGuestNetworkInterface $session -Name '
    ) {
        $offers = (TabExpansion2 $_).CompletionMatches
        $offers | Should -HaveCount $names.Count
        Assert-Harmless ($offers.CompletionText + $offers.ListItemText + $offers.ToolTip)
        foreach ($offer in $offers) {
            $errors = $null
            $ast = [Management.Automation.Language.Parser]::ParseInput("$_$($offer.CompletionText)", [ref] $null, [ref] $errors)
            $errors | Should -BeNullOrEmpty
            $elements = $ast.EndBlock.Statements[0].PipelineElements[0].CommandElements
            $ast.EndBlock.Statements | Should -HaveCount 1
            $elements | Should -HaveCount 4
            $elements[3] | Should -BeOfType ([Management.Automation.Language.StringConstantExpressionAst]) -Because $offer.CompletionText
        }
    }

    It 'escapes wildcards where the parameter takes them, and only there' {
        (TabExpansion2 'Get-QemuGuestUser $session -UserName [').CompletionMatches.CompletionText | Should -Be "'``[a``]``*'"
        (TabExpansion2 'Get-QemuGuestSshKey $session -UserName [').CompletionMatches.CompletionText | Should -Be "'[a]*'"
    }
}
