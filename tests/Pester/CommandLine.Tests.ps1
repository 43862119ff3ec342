BeforeDiscovery { . $PSScriptRoot/Common.ps1 }

# What is typed is run as text: by splatting it could not be told how it was written.
Describe 'Command lines of programs' {
    BeforeAll {
        . $PSScriptRoot/Common.ps1
        $vm = Connect-QemuGuestAgent embedded: -Name vm1
        function Invoke-Line([string] $Line) { & ([scriptblock]::Create($Line)) }
    }
    AfterAll { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It '<Line> is refused, and the right line is shown' -ForEach @(
        @{ Line = 'Invoke-QemuGuestProcess $vm /bin/rm -f /opt/app/backup'; Right = 'Invoke-QemuGuestProcess $vm /bin/rm -- -f /opt/app/backup' }
        @{ Line = 'Invoke-QemuGuestProcess $vm grep -v root /etc/passwd'; Right = 'Invoke-QemuGuestProcess $vm grep -- -v root /etc/passwd' }
        @{ Line = 'Invoke-QemuGuestProcess $vm mkdir -p /srv/a'; Right = 'Invoke-QemuGuestProcess $vm mkdir -- -p /srv/a' }
        @{ Line = 'Invoke-QemuGuestProcess $vm sed -i x'; Right = 'Invoke-QemuGuestProcess $vm sed -- -i x' }
        @{ Line = 'Invoke-QemuGuestProcess $vm sort -k 2'; Right = 'Invoke-QemuGuestProcess $vm sort -- -k 2' }
        @{ Line = 'Invoke-QemuGuestProcess $vm ls -d'; Right = 'Invoke-QemuGuestProcess $vm ls -- -d' }
        @{ Line = 'Invoke-QemuGuestProcess $vm sh -c ls'; Right = 'Invoke-QemuGuestProcess $vm sh -- -c ls' }
        @{ Line = 'Invoke-QemuGuestProcess $vm java -ver'; Right = 'Invoke-QemuGuestProcess $vm java -- -ver' }
        @{ Line = 'Invoke-QemuGuestProcess $vm find -in x'; Right = 'Invoke-QemuGuestProcess $vm find -- -in x' }
        @{ Line = 'Invoke-QemuGuestProcess $vm echo -Timout 5'; Right = 'Invoke-QemuGuestProcess $vm echo -- -Timout 5' }
        @{ Line = 'Invoke-QemuGuestProcess $vm echo -UserId app'; Right = 'Invoke-QemuGuestProcess $vm echo -- -UserId app' }
        @{ Line = 'Invoke-QemuGuestProcess $vm apt-get upgrade --yes'; Right = 'Invoke-QemuGuestProcess $vm apt-get upgrade -- --yes' }
        @{ Line = 'Invoke-QemuGuestProcess $vm kill -9 1'; Right = 'Invoke-QemuGuestProcess $vm kill -- -9 1' }
        @{ Line = 'Invoke-QemuGuestProcess $vm dd -o="$vm"'; Right = 'Invoke-QemuGuestProcess $vm dd -- -o="$vm"' }
        @{ Line = "Invoke-QemuGuestProcess `$vm echo ``$([Environment]::NewLine)  -rf"; Right = 'Invoke-QemuGuestProcess $vm echo -- -rf' }
        @{ Line = 'Start-QemuGuestProcess $vm tail -f /var/log/syslog'; Right = 'Start-QemuGuestProcess $vm tail -- -f /var/log/syslog' }
        @{ Line = '$vm | Invoke-QemuGuestProcess -FilePath echo -v 3 -Stream'; Right = "Invoke-QemuGuestProcess -FilePath echo -ArgumentList '-v', 3" }
        @{ Line = 'function rmf { Invoke-QemuGuestProcess $vm /bin/rm @args }; rmf -File x'; Right = 'Invoke-QemuGuestProcess $vm /bin/rm -ArgumentList $args' }
        @{ Line = 'function rmf { Invoke-QemuGuestProcess $vm /bin/rm -- @args }; rmf -File x'; Right = 'Invoke-QemuGuestProcess $vm /bin/rm -ArgumentList $args' }
        @{ Line = 'Invoke-QemuGuestScript $vm -ScriptText ls -v'; Right = "Invoke-QemuGuestScript `$vm -ScriptText ls -ArgumentList '-v'" }
        @{ Line = 'Invoke-QemuGuestScript $vm -ScriptText ls -Arg a'; Right = "Invoke-QemuGuestScript `$vm -ScriptText ls -ArgumentList '-Arg', a" }
    ) {
        { Invoke-Line $Line } | Should -Throw -ErrorId 'ProgramOptionAmbiguous,*'
        $Error[0].Exception.Message | Should -BeLike "*write: $([WildcardPattern]::Escape($Right))*"
    }

    It '<Line> gives the program <Expected>' -ForEach @(
        @{ Line = 'Invoke-QemuGuestProcess $vm echo -- -f -UserName app --x=3 -9 -Verbose'; Expected = '-f -UserName app --x=3 -9 -Verbose' }
        @{ Line = 'Invoke-QemuGuestProcess $vm -TimeoutSeconds 60 echo a -- -f'; Expected = 'a -f' }
        @{ Line = 'Invoke-QemuGuestProcess $vm echo -TimeoutSec 60 a'; Expected = 'a' }
        @{ Line = 'Invoke-QemuGuestProcess $vm -- echo -f'; Expected = '-f' }
        @{ Line = "Invoke-QemuGuestProcess `$vm echo '-f' hi"; Expected = '-f hi' }
        @{ Line = "Invoke-QemuGuestProcess `$vm echo '-f', hi"; Expected = '-f hi' }
        @{ Line = "Invoke-QemuGuestProcess `$vm echo -ArgumentList '-f', hi"; Expected = '-f hi' }
        @{ Line = "Invoke-QemuGuestProcess `$vm -FilePath echo -ArgumentList '-f'"; Expected = '-f' }
        @{ Line = 'Invoke-QemuGuestProcess $vm -FilePath echo -- -f'; Expected = '-f' }
        @{ Line = "Invoke-QemuGuestProcess `$vm cat -InputObject -5"; Expected = '-5' }
        @{ Line = 'function say { Invoke-QemuGuestProcess $vm echo -ArgumentList $args }; say -rf /x -File z'; Expected = '-rf /x -File z' }
        @{ Line = '$all = @{ Session = $vm; FilePath = "echo"; ArgumentList = "-l" }; Invoke-QemuGuestProcess @all'; Expected = '-l' }
        @{ Line = '$words = $vm, "echo", "-l"; Invoke-QemuGuestProcess @words'; Expected = '-l' }
        @{ Line = "[powershell]::Create('CurrentRunspace').AddCommand('Invoke-QemuGuestProcess').AddParameters(@{ Session = `$vm; FilePath = 'echo'; ArgumentList = '-l' }).Invoke()"; Expected = '-l' }
    ) {
        (Invoke-Line $Line).StandardOutput | Should -Be "$Expected`n"
    }

    It '<Line> names the program twice' -ForEach @(
        @{ Line = 'Invoke-QemuGuestProcess $vm /bin/rm -FilePath /opt/app/backup' }
        @{ Line = 'Start-QemuGuestProcess $vm -FilePath echo hi' }
    ) {
        { Invoke-Line $Line } | Should -Throw -ErrorId 'ProgramNamedTwice,*'
    }

    It 'an option of one letter is no abbreviation for who calls the cmdlet without a line either' {
        $shell = [powershell]::Create('CurrentRunspace').AddCommand('Invoke-QemuGuestProcess').AddParameters(@{ Session = $vm; FilePath = 'echo'; f = $true })
        { $shell.Invoke() } | Should -Throw '*is not the full name of a parameter*'
    }

    It 'an argument that PowerShell would part in two is refused, and arrives in quotes' {
        { Invoke-Line 'Invoke-QemuGuestProcess $vm echo -- -f:3' } | Should -Throw -ErrorId 'ProgramArgumentSplit,*'
        (Invoke-Line 'Invoke-QemuGuestProcess $vm echo -- "-f:3" b').StandardOutput | Should -Be "-f:3 b`n"
    }
}
