BeforeDiscovery {
    . $PSScriptRoot/Common.ps1
    $examples = Get-ChildItem $PSScriptRoot/../../examples -Filter *.ps1 | ForEach-Object { @{ Name = $_.Name; Path = $_.FullName } }
}
BeforeAll {
    . $PSScriptRoot/Common.ps1
    $folder = (Get-Item "$PSScriptRoot/../../examples").FullName
}
AfterAll { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

Describe 'The script <Name>' -ForEach $examples {
    It 'has help, with each parameter described and an example' {
        $help = Get-Help $Path -Full
        $help.Synopsis | Should -Match '\.$'
        $help.Description.Text | Should -Not -BeNullOrEmpty
        @($help.Examples.Example).Count | Should -BeGreaterOrEqual 1
        $help.Parameters.Parameter | Where-Object Name -NotIn WhatIf, Confirm | ForEach-Object { $_.Description.Text | Should -Not -BeNullOrEmpty -Because $_.Name }
    }
}

Describe 'Export-GuestInventory' {
    It 'has a row for each guest, also for those that do not answer' {
        $good = New-Endpoint 'host-name=web1'
        $rows = $good, 'pipe:none' | & $folder/Export-GuestInventory.ps1 -Path "$TestDrive/inventory.csv"
        $rows | Should -HaveCount 2
        $csv = @(Import-Csv "$TestDrive/inventory.csv")
        $csv.Status | Sort-Object | Should -Be 'EndpointNotFound', 'OK'
        $ok = $csv | Where-Object Status -EQ OK
        $ok.HostName | Should -Be 'web1'
        $ok.IPAddresses | Should -Be '192.0.2.10 2001:db8::10'
        ($csv | Where-Object Status -NE OK).Guest | Should -Be 'pipe:none'
        Get-QemuGuestAgent | Should -BeNullOrEmpty
    }
}

Describe 'Update-GuestFleet' {
    It 'patches all, wave by wave' {
        $guests = 1..5 | ForEach-Object { New-Endpoint }
        $results = & $folder/Update-GuestFleet.ps1 $guests -Command /bin/echo, done -WaveSize 2 -Confirm:$false
        $results.Guest | Should -Be $guests
        $results.Succeeded | Should -Be (@($true) * 5)
        $results[4].Output.Trim() | Should -Be 'done'
    }

    It 'restarts them and waits' {
        $result = & $folder/Update-GuestFleet.ps1 (New-Endpoint 'boot-delay=300') -Command /bin/true -Restart -Confirm:$false
        $result.Succeeded | Should -BeTrue -Because $result.Reason
    }

    It 'stops after a wave with a failure, and says what is left' {
        $guests = (New-Endpoint), (New-Endpoint 'blocked=guest-exec'), (New-Endpoint)
        $results = [Collections.Generic.List[object]]::new()
        { & $folder/Update-GuestFleet.ps1 $guests -Command /bin/true -WaveSize 2 -Confirm:$false | ForEach-Object { $results.Add($_) } } | Should -Throw 'Stopped after *: 1 guests were left*'
        $results.Succeeded | Should -Be $true, $false
        $results[1].Reason | Should -BeLike '*guest-exec*disabled*'
        (& $folder/Update-GuestFleet.ps1 (New-Endpoint) -Command /bin/false -Confirm:$false).ExitCode | Should -Be 1
    }

    It 'changes nothing with -WhatIf' {
        & $folder/Update-GuestFleet.ps1 'pipe:none' -WhatIf | Should -BeNullOrEmpty
    }
}

Describe 'Update-GuestPassword' {
    BeforeAll { $vault = [Collections.Generic.List[object]]::new() }
    BeforeEach { $vault.Clear() }

    It 'stores each password before and after it is set, and each is another' {
        $guests = (New-Endpoint), (New-Endpoint)
        $results = & $folder/Update-GuestPassword.ps1 $guests -Confirm:$false -Store { $vault.Add([pscustomobject]@{ Guest = $args[0]; Secret = $args[1].GetNetworkCredential().Password; State = $args[2] }) }
        $results.UserName | Should -Be 'root', 'root'
        $vault.State | Should -Be 'Pending', 'Current', 'Pending', 'Current'
        $vault[0].Secret | Should -BeExactly $vault[1].Secret
        $vault[0].Secret | Should -Not -BeExactly $vault[2].Secret
        $vault[0].Secret | Should -Match '^[\w-]{24}$'
    }

    It 'sets nothing where the vault fails, and goes on where a guest fails' {
        $blocked = New-Endpoint 'blocked=guest-set-user-password'
        $problems = @()
        $results = & $folder/Update-GuestPassword.ps1 $blocked, (New-Endpoint) -Confirm:$false -Store { $vault.Add($args[2]) } -ErrorAction SilentlyContinue -ErrorVariable problems 2>$null
        @($results) | Should -HaveCount 1
        $vault | Should -Be 'Pending', 'Pending', 'Current'
        $none = & $folder/Update-GuestPassword.ps1 (New-Endpoint) -Confirm:$false -Store { throw 'no vault' } 2>&1
        "$none" | Should -Be 'no vault'
    }
}

Describe 'Wait-GuestReady' {
    It 'ends with 0 once the guests are ready' {
        $lines = & $folder/Wait-GuestReady.ps1 (New-Endpoint), (New-Endpoint) -Command /bin/true
        $LASTEXITCODE | Should -Be 0
        $lines | Should -HaveCount 2
        $lines | ForEach-Object { $_ | Should -BeLike '*: ready' }
    }

    It 'ends with 1 where one is not, and says why' {
        $lines = & $folder/Wait-GuestReady.ps1 (New-Endpoint), 'pipe:none' -TimeoutSeconds 15
        $LASTEXITCODE | Should -Be 1
        $lines[0] | Should -BeLike '*: ready'
        $lines[1] | Should -BeLike 'pipe:none: not ready: *'
        $lines = & $folder/Wait-GuestReady.ps1 (New-Endpoint) -Command /bin/false -TimeoutSeconds 0.5
        $LASTEXITCODE | Should -Be 1
        $lines | Should -BeLike "*: not ready: '/bin/false' ended with 1*"
    }

    It 'runs the command in the others while one endpoint is missing' {
        $lines = & $folder/Wait-GuestReady.ps1 (New-Endpoint), 'pipe:none', (New-Endpoint) -Command /bin/sleep, 0.3 -TimeoutSeconds 15
        $LASTEXITCODE | Should -Be 1
        $lines | Should -HaveCount 3
        $lines[0, 1] | ForEach-Object { $_ | Should -BeLike '*: ready' }
        $lines[2] | Should -BeLike 'pipe:none: not ready: *'
    }
}

Describe 'Backup-Guest' -Skip:(-not $IsLinux -or -not (Get-Command qemu-img -ErrorAction Ignore)) -Tag 'it needs qemu-img: apt-get install qemu-utils' {
    BeforeEach {
        $images = New-Item -ItemType Directory "$TestDrive/$([guid]::NewGuid())"
        $backups = New-Item -ItemType Directory "$TestDrive/$([guid]::NewGuid())"
        $null = qemu-img create -f qcow2 "$images/db1.qcow2" 1M
    }

    It 'makes a whole image of each disk, and leaves nothing else' {
        Copy-Item "$images/db1.qcow2" "$images/data.qcow2"
        $results = & $folder/Backup-Guest.ps1 (New-Endpoint) -Disk "$images/db1.qcow2", "$images/data.qcow2" -Destination $backups -AllowCopy -Confirm:$false
        $results.Backup | ForEach-Object { qemu-img compare $_ "$images/db1.qcow2"; $LASTEXITCODE | Should -Be 0 }
        (Get-ChildItem $backups).FullName | Sort-Object | Should -Be ($results.Backup | Sort-Object)
        Get-ChildItem $images | Should -HaveCount 2
    }

    It 'takes nothing that a guest wrote on a raw disk for the header of an image' {
        [IO.File]::WriteAllText("$images/base", 'a file of the host'.PadRight(1MB))
        $null = qemu-img create -f qcow2 -b "$images/base" -F raw "$images/guest.raw"
        $result = & $folder/Backup-Guest.ps1 (New-Endpoint) -Disk "$images/guest.raw" -Format raw -Destination $backups -AllowCopy -Confirm:$false
        qemu-img compare -f raw -F qcow2 "$images/guest.raw" $result.Backup
        $LASTEXITCODE | Should -Be 0
        (qemu-img info --output json $result.Backup | ConvertFrom-Json).'virtual-size' | Should -BeLessThan 1MB
    }

    It 'leaves no backup and no frozen guest where something fails' {
        $guest = New-Endpoint
        Set-Content "$images/broken.qcow2" 'no image'
        [IO.File]::WriteAllBytes("$images/broken.qcow2", [byte[]](0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 3))
        { & $folder/Backup-Guest.ps1 $guest -Disk "$images/broken.qcow2" -Destination $backups -AllowCopy -Confirm:$false } | Should -Throw 'qemu-img failed*'
        Get-ChildItem $backups | Should -BeNullOrEmpty
        Get-ChildItem $images | Should -HaveCount 2
        Invoke-QemuGuestAgentCommand -Endpoint $guest guest-fsfreeze-status | Should -Be 'thawed'
    }

    It 'is refused where the guest cannot be frozen' {
        { & $folder/Backup-Guest.ps1 (New-Endpoint 'blocked=guest-fsfreeze-freeze') -Disk "$images/db1.qcow2" -Destination $backups -AllowCopy -Confirm:$false } | Should -Throw
        Get-ChildItem $backups | Should -BeNullOrEmpty
        Get-ChildItem $images | Should -HaveCount 1
    }
}
