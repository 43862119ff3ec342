BeforeDiscovery {
    . $PSScriptRoot/Common.ps1
    $outputs = @{
        'Get-QemuGuest' = 'IPAddresses', 'OperatingSystem', 'PercentUsed', 'Guest'; 'Get-QemuGuestFileSystem' = 'MountPoint', 'Free'
        'Get-QemuGuestDisk' = 'Name', 'Dependencies'; 'Invoke-QemuGuestProcess' = 'ExitCode', 'StandardOutput', 'StandardOutputBytes'
        'Wait-QemuGuestProcess' = 'ExitCode', 'Output'; 'Get-QemuGuestUser' = 'UserName', 'LoginTime'; 'Find-QemuGuestAgent' = 'Endpoint', 'Owner'
        'Test-QemuGuestAgent' = 'Verdict', 'Reason'; 'Copy-QemuGuestItem' = 'Hash', 'Verified'; 'Get-QemuGuestAgentCommand' = 'Arguments', 'Since'
    }.GetEnumerator() | ForEach-Object { @{ Command = $_.Key; Properties = $_.Value } }
    $lines = @(
        @{ Line = 'Get-QemuGuestFileSystem $vm -MountPoint '; Text = '/', '/boot' }
        @{ Line = 'Get-QemuGuestFileSystem $vm -MountPoint /b'; Text = '/boot' }
        @{ Line = 'Get-QemuGuestFileSystem $windows -MountPoint '; Text = "'C:\'", "'System Reserved'" }
        @{ Line = 'Suspend-QemuGuestFileSystem $vm -MountPoint '; Text = '/', '/boot' }
        @{ Line = 'Use-QemuGuestFrozenFileSystem $vm -MountPoint '; Text = '/', '/boot' }
        @{ Line = 'Get-QemuGuestNetworkInterface $vm -Name '; Text = 'lo', 'eth0' }
        @{ Line = 'Get-QemuGuestNetworkInterface $vm -Name lo, e'; Text = 'eth0' }
        @{ Line = 'Get-QemuGuestNetworkRoute $vm -InterfaceName '; Text = 'lo', 'eth0' }
        @{ Line = 'Get-QemuGuestDisk $vm -Name /dev/vda1'; Text = '/dev/vda1' }
        @{ Line = 'Get-QemuGuestDiskStatistic $vm -Name '; Text = 'vda', 'vda1', 'vda2' }
        @{ Line = 'Get-QemuGuestUser $vm -UserName '; Text = 'root' }
        @{ Line = 'Get-QemuGuestSshKey $vm '; Text = 'root' }
        @{ Line = 'Add-QemuGuestSshKey $vm '; Text = 'root' }
        @{ Line = 'New-QemuGuestPSSession $vm -UserName '; Text = 'root' }
        @{ Line = 'Get-QemuGuestDevice $windows -DriverName *SCSI'; Text = @() }
        @{ Line = '$vm | Get-QemuGuestUser -UserName r'; Text = 'root' }
    )
    $encodings = 'Set-QemuGuestContent $vm /x', 'Get-QemuGuestContent $vm /x', 'Invoke-QemuGuestProcess $vm cat', 'Invoke-QemuGuestScript $vm'
    # What is not known, or may not be asked for: nothing is offered, least of all a local file.
    $nothing = @(
        'Get-QemuGuestFileSystem $closed -MountPoint ', 'Get-QemuGuestFileSystem -Endpoint embedded: -MountPoint '
        'Get-QemuGuestDisk $refusing -Name ', 'Get-QemuGuestUser $vm -UserName nobody', 'Wait-QemuGuestProcess $vm -Id 9999'
        'Set-QemuGuestContent $vm /x y -Encoding nothing'
    )
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    function Complete([string] $Line) { (TabExpansion2 $Line $Line.Length).CompletionMatches.CompletionText }
    $vm, $windows, $closed, $refusing = Connect-QemuGuestAgent (New-Endpoint), (New-Endpoint 'os=windows'), (New-Endpoint),
        (New-Endpoint 'blocked=guest-get-disks') -Name web1, win, closed, refusing
    Disconnect-QemuGuestAgent $closed
    Push-Location $TestDrive
    $null = New-Item utf8.txt, local.txt, eth0, 1001
}
AfterAll {
    Pop-Location
    Get-QemuGuestAgent | Disconnect-QemuGuestAgent
}

Describe 'Properties of the output of <Command>' -ForEach $outputs {
    It 'are completed for the next command' {
        $offered = Complete "$Command | Select-Object "
        $Properties | ForEach-Object { $offered | Should -Contain $_ }
        $offered | Should -Not -Contain 'EqualityContract'
        Complete "($Command)." | Where-Object { $_ -match 'Clone|Deconstruct' } | Should -BeNullOrEmpty
    }
}

Describe 'Names that a guest knows' {
    It 'completes <Line>' -ForEach $lines { @(Complete $Line) | Should -Be $Text }

    It 'offers nothing, and no local file: <_>' -ForEach $nothing { Complete $_ | Should -BeNullOrEmpty }

    It 'does not wait for a guest that does not answer, whose session stays usable' {
        $silent = Connect-QemuGuestAgent (New-Endpoint 'silent=guest-get-users')
        $null = Complete 'Get-QemuGuestUser $vm -UserName '
        $time = Measure-Command { Complete 'Get-QemuGuestUser $silent -UserName ' | Should -BeNullOrEmpty }
        $time.TotalSeconds | Should -BeLessThan 3
        (Get-QemuGuestLoad $silent -ErrorAction Stop).OneMinute | Should -Not -BeNullOrEmpty
    }

    It 'completes the ids of processes that were started and have not ended' {
        $process = Start-QemuGuestProcess $vm sleep 60
        Complete 'Wait-QemuGuestProcess $vm -Id ' | Should -Be "$($process.Pid)"
        Complete 'Stop-QemuGuestProcess $vm -Id ' | Should -Be "$($process.Pid)"
        (TabExpansion2 'Get-QemuGuestProcess $vm -Id ').CompletionMatches.ToolTip | Should -Be 'sleep in web1'
    }
}

Describe 'Names that this computer knows' {
    It 'completes encodings: <_>' -ForEach $encodings {
        Complete "$_ -Encoding utf" | Should -Be 'utf8', 'utf8BOM', 'utf32'
        $all = Complete "$_ -Encoding "
        $all | Should -Contain 'oem'
        $all | Should -Not -Contain 'local.txt'
    }

    It 'completes encodings that are taken' {
        foreach ($name in Complete 'Get-QemuGuestContent $vm /x -Encoding ') {
            Get-QemuGuestContent $vm /etc/hostname -Encoding $name | Should -Not -BeNullOrEmpty -Because $name
        }
    }

    It 'offers no local file for a domain of libvirt' { Complete 'Connect-QemuGuestAgent -LibvirtDomain ' | Should -Not -Contain './local.txt' }

    It 'completes serial ports, and no local files' {
        $ports = if (-not $OnWindows) { (Get-ChildItem /dev/ttyS*, /dev/ttyUSB*, /dev/ttyACM*, /dev/ttyAMA*, /dev/cu.* -ErrorAction Ignore).FullName }
        $offered = @(Complete 'Connect-QemuGuestAgent -SerialPort ')
        if (-not $OnWindows) { $offered | Sort-Object | Should -Be ($ports | Sort-Object) }
        $offered | Should -Not -Contain './local.txt'
    }
}
