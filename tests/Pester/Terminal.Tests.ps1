BeforeDiscovery {
    . $PSScriptRoot/Common.ps1
    $missing = if ($OnWindows) { 'it needs a pseudo terminal: Linux' }
        elseif (-not $RealAgentPath) { 'it needs qemu-ga: apt-get install qemu-guest-agent' }
        elseif (-not (Get-Command tmux -CommandType Application -ErrorAction Ignore)) { 'it needs tmux: apt-get install tmux' }
    $NeedsTerminal = @{ Skip = [bool] $missing; Tag = "$missing" }
}
BeforeAll { . $PSScriptRoot/Common.ps1 }

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
        $settings = Join-Path $agent.Folder settings
    }
    BeforeEach {
        $script:server = "qga-$([guid]::NewGuid().ToString('N'))"
        $start = "Import-Module '$module'; function prompt { 'HERE> ' }; Set-Location '$($agent.Folder)'"
        Invoke-Tmux new-session -d -s t -x 100 -y 30 "env TERM=tmux-256color '$pwsh' -NoProfile -NoExit -Command `"$start`""
        Wait-Screen 'HERE>$'
        Send-Line "stty -a > $settings.before"
        Wait-Until { (Test-Path "$settings.before") -and (Get-Item "$settings.before").Length }
        Send-Line 'cls'
        Wait-Screen '^HERE>$'
    }
    AfterEach { & tmux -L $server kill-server 2>$null }
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
        Start-Shell
        Send-Line 'sleep 1000'
        Send-Key 'C-]'
        Wait-Screen 'HERE>$'
        Send-Line "stty -a > $settings.after"
        Wait-Until { (Test-Path "$settings.after") -and (Get-Item "$settings.after").Length }
        Get-Content "$settings.after" | Should -Be (Get-Content "$settings.before")
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

    It 'is ended in the guest where <Why>' -ForEach @(
        @{ Why = 'its window is closed'; End = { Invoke-Tmux kill-server } }
        @{ Why = 'this PowerShell is told to end'; End = { & /bin/kill -TERM (Invoke-Tmux display-message -p -t t '#{pane_pid}') } }
    ) {
        Start-Shell
        $shell = Get-Answer 'echo $$'
        Test-Running $shell | Should -BeTrue
        & $End
        Wait-Until { -not (Test-Running $shell) }
    }
}
