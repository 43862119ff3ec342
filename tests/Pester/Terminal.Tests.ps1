BeforeDiscovery {
    . $PSScriptRoot/Common.ps1
    $missing = if ($OnWindows) { 'it needs a pseudo terminal: Linux' }
        elseif (-not $RealAgentPath) { 'it needs qemu-ga: apt-get install qemu-guest-agent' }
        elseif (-not (Get-Command tmux -CommandType Application -ErrorAction Ignore)) { 'it needs tmux: apt-get install tmux' }
    $NeedsTerminal = @{ Skip = [bool] $missing; Tag = "$missing" }
    $NeedsLine = if ($missing) { $NeedsTerminal } else { $NeedsSerialAgent }
}
BeforeAll {
    . $PSScriptRoot/Common.ps1

    function Invoke-Tmux { & tmux -L $server -f /dev/null @args; if ($LASTEXITCODE) { throw "tmux $args" } }
    function Get-Screen { (@(Invoke-Tmux capture-pane -p -t t) -join "`n").TrimEnd() }
    function Send-Text([string] $Text) { Invoke-Tmux send-keys -t t -l $Text }
    function Send-Key { Invoke-Tmux send-keys -t t @args }
    function Send-Line([string] $Text) { Send-Text $Text; Send-Key Enter }
    function Wait-Screen([string] $Pattern) {
        try { Wait-Until { (Get-Screen) -match $Pattern } } catch { throw "No '$Pattern' on this screen:`n$(Get-Screen)" }
    }
    # What a command there writes; its own line does not hold the marks.
    function Get-Answer([string] $Command) {
        $mark = [guid]::NewGuid().ToString('N').Substring(0, 8)
        Send-Line "clear; echo ${mark}'':; $Command; echo ${mark}''."
        Wait-Screen "(?m)^${mark}\."
        [regex]::Match((Get-Screen), "(?ms)^${mark}:\n(.*?)\n?^${mark}\.").Groups[1].Value.TrimEnd("`n")
    }
    function Start-Shell([string] $Options) {
        Send-Line "Enter-QemuGuest $($agent.Endpoint) $Options"
        Wait-Screen 'a shell as \w+, through'
        Wait-Screen '[#$]$'
    }
    # In a terminal of its own, which is there still when that PowerShell has ended.
    function Start-Host {
        $script:server = "qga-$([guid]::NewGuid().ToString('N'))"
        $script:settings = Join-Path $agent.Folder $server
        $start = "Import-Module '$module'; function prompt { 'HERE> ' }; Set-Location '$($agent.Folder)'; Set-Content '$settings.pid' `$PID"
        # Where nohup runs the tests, it would ignore SIGHUP.
        Set-Content "$settings.sh" "stty -a >'$settings.first'`nTERM=tmux-256color env --default-signal '$pwsh' -NoProfile -NoExit -Command `"$($start.Replace('$', '\$'))`"`nstty -a >'$settings.part'`nmv '$settings.part' '$settings.last'`nexec sleep 1000"
        Invoke-Tmux new-session -d -s t -x 100 -y 30 "sh '$settings.sh'"
        Wait-Screen 'HERE>$'
    }
    function Stop-Host { & tmux -L $server kill-server 2>$null }
    function Stop-Pwsh([string] $Signal) { & /bin/kill "-$Signal" (Get-Content "$settings.pid") }
    function Save-Settings([string] $Name) {
        Send-Line "stty -a > $settings.part; mv $settings.part $settings.$Name"
        Wait-Until { Test-Path "$settings.$Name" }
    }
}

Describe 'Enter-QemuGuest without a terminal' {
    AfterEach { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It 'says what to do instead where the input is redirected' {
        $text = '' | & $pwsh -NoProfile -Command "Import-Module '$module'; try { Enter-QemuGuest embedded: -ErrorAction Stop } catch { `$_.FullyQualifiedErrorId; `$_.ErrorDetails.RecommendedAction }" 2>&1
        "$text" | Should -BeLike 'TerminalNotInteractive,*Invoke-QemuGuestScript*'
    }

    It 'says so where the host has none' {
        $shell = [powershell]::Create().AddScript({ param($module) Import-Module $module; Enter-QemuGuest embedded: }).AddArgument($module)
        $null = $shell.Invoke()
        $shell.Streams.Error[0].FullyQualifiedErrorId | Should -BeLike 'TerminalNotInteractive,*'
        $shell.Streams.Error[0] | Should -BeLike "*the host 'Default Host' has none*"
        $shell.Dispose()
    }

    It 'leads to one guest' {
        { Enter-QemuGuest embedded:, 'embedded:?ids=false' } | Should -Throw -ErrorId 'TerminalGuestsMismatch,*'
    }

    It 'takes no key that is none' {
        { Enter-QemuGuest embedded: -EscapeCharacter 'abc' } | Should -Throw -ErrorId 'EscapeCharacterInvalid,*'
    }

    It 'does nothing with -WhatIf' {
        Enter-QemuGuest -Endpoint /no/such/socket -WhatIf | Should -BeNullOrEmpty
    }

    It 'needs a policy that allows programs' {
        { Enter-QemuGuest 'embedded:?blocked=guest-exec' -PowerShell -ErrorAction Stop } | Should -Throw
    }
}

Describe 'Enter-QemuGuest in a terminal, with the agent of <AgentName>' @NeedsTerminal -ForEach $RealAgents {
    BeforeAll {
        $script:agent = Start-RealAgent $AgentPath
    }
    BeforeEach { Start-Host }
    AfterEach { Stop-Host }
    AfterAll { Stop-RealAgent $agent }

    It 'has a prompt in a terminal of its size, which follows the window' {
        Start-Shell
        Get-Answer tty | Should -BeLike '/dev/pts/*'
        Get-Answer 'stty size' | Should -Be '30 100'
        Invoke-Tmux resize-window -t t -x 91 -y 27
        Wait-Until { (Get-Answer 'stty size') -eq '27 91' }
        Get-Answer 'echo ünï 漢字 😀' | Should -Be 'ünï 漢字 😀'
        Send-Line 'exit 7'
        Wait-Screen 'HERE>$'
        Send-Line '"code $LASTEXITCODE"'
        Wait-Screen '(?m)^code 7$'
    }

    It 'leaves with its key, from a program too, and the terminal is as before' {
        Save-Settings before
        Start-Shell
        Send-Line 'sleep 1000'
        Send-Key 'C-]'
        Wait-Screen 'HERE>$'
        Save-Settings after
        Get-Content "$settings.after" | Should -Be (Get-Content "$settings.before")
    }

    It 'opens the prompt of a PowerShell there' {
        Send-Line "Enter-QemuGuest $($agent.Endpoint) -PowerShell"
        Wait-Screen '(?m)^\[qga\]: PS .*>'
        Send-Line '"a" + "b" + $PSVersionTable.PSEdition'
        Wait-Screen '(?m)^abCore'
        Send-Line exit
        Wait-Screen 'HERE>$'

        # Its channel, which takes one client, is free once nothing is left there.
        $next = Connect-QemuGuestAgent $agent.Endpoint -TimeoutSeconds 60
        Get-Leftover | Should -BeNullOrEmpty
        Disconnect-QemuGuestAgent $next
    }

    It 'edits a file in vi' -Skip:(-not (Get-Command vi -CommandType Application -ErrorAction Ignore)) -Tag 'it needs vi: apt-get install vim-tiny' {
        Start-Shell
        Send-Line "vi $($agent.Folder)/file"
        Wait-Screen '(?m)^~'
        Send-Text 'ihellö'
        Send-Key Enter
        Send-Text 'there'
        Send-Key Escape
        Wait-Screen '(?m)^there$'
        Send-Line ':wq'
        Wait-Until { Test-Path "$($agent.Folder)/file" }
        Wait-Screen '[#$]$'
        Get-Content "$($agent.Folder)/file" | Should -Be 'hellö', 'there'
        Send-Line exit
        Wait-Screen 'HERE>$'
    }

    It 'shows top, which goes on until q' {
        Start-Shell
        Send-Line 'top -d 0.5'
        Wait-Screen 'load average'
        $first = Get-Screen
        Wait-Until { (Get-Screen) -ne $first }
        Send-Key q
        Wait-Screen '[#$]$'
        Send-Line exit
        Wait-Screen 'HERE>$'
    }

    It 'interrupts a program with Ctrl+C, and goes on' {
        Start-Shell
        Send-Line 'sleep 1000'
        Wait-Screen 'sleep 1000'
        Send-Key C-c
        Wait-Screen '\^C'
        Get-Answer 'echo $((40 + 2))' | Should -Be 42
        Send-Line 'exit'
        Wait-Screen 'HERE>$'
    }

    It 'tells the loss of its agent, and the terminal is as before' {
        Save-Settings before
        Start-Shell
        $agent.Process.Kill()
        Wait-Screen '(?s)The connection to .*Recommendation.*HERE>$'
        Send-Line '"code $LASTEXITCODE"'
        Wait-Screen '(?m)^code 255$'
        Save-Settings after
        Get-Content "$settings.after" | Should -Be (Get-Content "$settings.before")
    }
}

Describe 'What Enter-QemuGuest does in trouble' @NeedsLine {
    BeforeAll {
        # The time of those who watch for this host stands still there until a test lets it run.
        $clock = Join-Path $TestDrive clock
        $tools = (New-Item (Join-Path $TestDrive tools) -ItemType Directory).FullName
        Set-Content "$tools/sleep" "#!/bin/sh`nwhile [ ! -e '$clock' ] && [ -e '$tools' ]; do /bin/sleep 0.1; done"
        Set-Content "$tools/agent" "#!/bin/sh`nPATH=`"${tools}:`$PATH`" exec '$RealAgentPath' `"`$@`""
        chmod +x "$tools/sleep" "$tools/agent"
        $script:agent = Start-RealAgent "$tools/agent" -Serial
    }
    BeforeEach { Start-Host }
    AfterEach {
        Stop-Host
        Remove-Item $clock -ErrorAction Ignore
    }
    AfterAll { Stop-RealAgent $agent }

    It 'says that a simulated guest has no shell' {
        Send-Line 'Enter-QemuGuest embedded:'
        Wait-Screen '(?s)simulated guest.*Recommendation.*HERE>$'
    }

    It 'ends it in the guest where its window is closed' {
        Start-Shell
        $shell = Get-Answer 'echo $$'
        Test-Running $shell | Should -BeTrue
        Stop-Host
        Wait-Until { -not (Test-Running $shell) }
    }

    It 'ends it in the guest on SIG<_>, and the terminal here is as before' -ForEach TERM, HUP {
        Start-Shell
        $shell = Get-Answer 'echo $$'
        Test-Running $shell | Should -BeTrue
        Stop-Pwsh $_
        Wait-Until { -not (Test-Running $shell) }
        Wait-Until { Test-Path "$settings.last" }
        Get-Content "$settings.last" | Should -Be (Get-Content "$settings.first")
    }

    It 'leaves nothing in the guest after a while where this PowerShell is killed' {
        Start-Shell
        $shell = Get-Answer 'echo $$'
        Send-Line 'sleep 1000'
        Wait-Until { Get-Content "/proc/$shell/task/$shell/children" }
        $running = @($shell) + -split (Get-Content "/proc/$shell/task/$shell/children")
        $folder = Split-Path @(Get-Leftover)[0] -Parent
        Get-ChildItem $folder -Name | Should -Contain in
        Stop-Pwsh KILL
        Wait-Until { Test-Path "$settings.last" }
        foreach ($id in $running) { Test-Running $id | Should -BeTrue }
        Set-Content $clock ''
        Wait-Until { -not (Test-Path $folder) }
        foreach ($id in $running) { Wait-Until { -not (Test-Running $id) } }

        # The agent's handles are for its next client to close.
        Remove-Item $clock
        (Invoke-QemuGuestProcess -Endpoint $agent.Endpoint -Stream -FilePath echo -ArgumentList next -ErrorAction Stop).Text | Should -Be next
        Get-Leftover | Should -BeNullOrEmpty
    }

    It 'takes a paste of 1 MB whole' {
        $pasted = Join-Path $TestDrive pasted
        [IO.File]::WriteAllText($pasted, -join (1..20000 | ForEach-Object { "$_ 0123456789 abcdefghijklmnopqrstuvwxyz ünï 漢字`n" }))
        (Get-Item $pasted).Length | Should -BeGreaterThan 1MB
        Start-Shell
        Send-Line "stty -echo; echo wai''ting; sha256sum; stty echo"
        Wait-Screen '(?m)^waiting$'
        Invoke-Tmux load-buffer $pasted
        Invoke-Tmux paste-buffer -t t
        Send-Key C-d
        Wait-Screen '(?m)^[0-9a-f]{64}  -'
        Get-Screen | Should -Match (Get-FileHash $pasted).Hash
        Send-Key 'C-]'
    }

    It 'breaks off a long output with Ctrl+C' {
        # Some text, and then no end of zeros, which take no room.
        $long = Join-Path $TestDrive long
        [IO.File]::WriteAllText($long, "begin`n")
        truncate -s 100G $long
        Start-Shell
        Send-Line "clear; cat '$long'"
        Wait-Screen '(?m)^begin$'
        Send-Key C-c
        Send-Line 'echo "code $?"'
        Wait-Screen '(?m)^code 130$'
        Send-Key 'C-]'
    }

    It 'tells nothing of what is typed and shown: not in -Debug, not in a transcript, not in the log of the agent' {
        Send-Line "`$null = Start-Transcript $settings.transcript"
        Start-Shell "-Debug -Verbose 4>$settings.verbose 5>$settings.debug"
        Send-Line "stty -echo; echo wai''ting; read -r secret; stty echo"
        Wait-Screen '(?m)^waiting$'
        Send-Line hunter2
        Get-Answer 'echo $secret' | Should -Be hunter2
        Send-Line 'exit'
        Wait-Screen 'HERE>$'
        Get-Content "$settings.debug" -Raw | Should -BeLike '*guest-exec*'
        $log = "$settings.debug", "$settings.verbose", "$settings.transcript", (Join-Path $agent.Folder qga.err) | ForEach-Object { Get-Content $_ }
        $log -match "hunter2|$([Convert]::ToBase64String([byte[]] [char[]] 'hunter2').TrimEnd('='))" | Should -BeNullOrEmpty
    }
}
