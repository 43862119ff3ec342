BeforeDiscovery {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Guest.ps1
    $named = Get-NamedGuest
    $needsGuest = @{
        Skip = -not $named
        Tag = if ($InWine) { 'it needs another guest than the one that it runs in' } else { 'QEMU_GUEST_ENDPOINT names no guest' }
    }
    $guests = @{ Endpoint = $named.Endpoint; OfWindows = $named.OfWindows }
    $needsPrograms = @{ Skip = $named -and -not $named.CanRun; Tag = "the policy of the guest's agent forbids guest-exec" }
}
BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Guest.ps1
}

Describe 'The guest of QEMU_GUEST_ENDPOINT' @needsGuest -ForEach $guests {
    BeforeAll { $session = Connect-QemuGuestAgent $Endpoint -Name real -TimeoutSeconds 60 -ErrorAction Stop }
    AfterAll { Disconnect-QemuGuestAgent $session }

    It 'answers <_>, or has no such command' -ForEach @(
        'Get-QemuGuest', 'Get-QemuGuestDevice', 'Get-QemuGuestDisk', 'Get-QemuGuestDiskStatistic', 'Get-QemuGuestFileSystem'
        'Get-QemuGuestLoad', 'Get-QemuGuestMemoryBlock', 'Get-QemuGuestNetworkInterface', 'Get-QemuGuestNetworkRoute'
        'Get-QemuGuestProcessor', 'Get-QemuGuestProcessorStatistic', 'Get-QemuGuestTime', 'Get-QemuGuestUser'
    ) {
        $all = @(& $_ $session -ErrorVariable failed -ErrorAction SilentlyContinue)
        if ($failed -and $failed[0].FullyQualifiedErrorId -match '^Command(NotFound|Disabled),') { Set-ItResult -Skipped -Because "$($failed[0])" }
        $failed | Should -BeNullOrEmpty
        foreach ($one in $all) { $one.PSGuestName | Should -Be real }
        # Others may be empty: nobody may be logged in.
        if ($_ -match 'QemuGuest$|Processor$|Time$|NetworkInterface$') { $all | Should -Not -BeNullOrEmpty }
    }

    Context 'Programs and files' @needsPrograms {
        BeforeAll {
            $folder = New-GuestFolder $session $OfWindows
            $slash = if ($OfWindows) { '\' } else { '/' }
            $here = "$TestDrive"
        }
        AfterAll { if ($folder) { Remove-GuestFolder $session $OfWindows $folder } }

        It 'runs a program<Name>' -ForEach @{ Name = ''; Live = $false }, @{ Name = ', live'; Live = $true } {
            $shell = if ($OfWindows) { 'cmd.exe', '/c', 'echo out& echo err>&2& exit 3' } else { '/bin/sh', '-c', 'echo out; echo err >&2; exit 3' }
            $all = @(Invoke-QemuGuestProcess $session $shell[0] -ArgumentList $shell[1, 2] -Stream:$Live)
            $all[-1].ExitCode | Should -Be 3
            $texts = if ($Live) { $all | Select-Object -SkipLast 1 | ForEach-Object { "$($_.Stream) $_" } | Sort-Object }
                else { "Error $($all.StandardError.Trim())"; "Output $($all.StandardOutput.Trim())" }
            $texts | Should -Be 'Error err', 'Output out'
        }

        It 'runs a script' {
            $result = Invoke-QemuGuestScript $session -ScriptText 'echo "a  b"'
            $(if ($OfWindows) { $result } else { $result.StandardOutput.Trim() }) | Should -Be 'a  b'
        }

        It 'copies a file there and back, verified there' {
            $hash = New-RandomFile "$here/sent" (1MB + 17)
            $sent = Copy-QemuGuestItem "$here/sent" "$folder$slash" -ToSession $session -PassThru
            $back = Copy-QemuGuestItem "$folder${slash}sent" "$here/back" -FromSession $session -PassThru
            "$($sent.Verified) $($sent.Hash) $($back.Verified)" | Should -Be "Sha256 $hash Sha256"
            (Get-FileHash "$here/back").Hash | Should -Be $hash
        }

        It 'has content' {
            $file = "$folder${slash}notes.txt"
            'first', 'zwäi' | Set-QemuGuestContent $session $file
            'third' | Add-QemuGuestContent $session $file
            Get-QemuGuestContent $session $file | Should -Be first, zwäi, third
            Get-QemuGuestContent $session "$folder${slash}not*.txt" -Tail 1 | Should -Be third
        }

        It 'has a PowerShell session, which leaves nothing' {
            $has = $OfWindows -or (Invoke-QemuGuestProcess $session /bin/sh -- -c 'command -v pwsh').ExitCode -eq 0
            if (-not $has) { Set-ItResult -Skipped -Because 'the guest has no PowerShell' }
            $ps = New-QemuGuestPSSession $session -TimeoutSeconds 60 -ErrorAction Stop
            $id = Invoke-Command $ps { $PID }
            Invoke-Command $ps { 6 * $using:id } | Should -Be (6 * $id)
            Remove-PSSession $ps
            $left = if ($OfWindows) { Invoke-QemuGuestScript $session { @(Get-Process -Id $using:id -ErrorAction Ignore).Count } }
                else { (Invoke-QemuGuestProcess $session /bin/sh -- -c "test ! -e /proc/$id").ExitCode }
            $left | Should -Be 0
        }
    }
}
