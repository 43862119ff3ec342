BeforeDiscovery { . $PSScriptRoot/Common.ps1 }
BeforeAll { . $PSScriptRoot/Common.ps1 }

Describe 'The package in a repository that is a folder' {
    BeforeAll {
        $package = Get-ChildItem (Join-Path $module '..') -Filter "QemuGuestAgent.$((Get-Module QemuGuestAgent).Version).nupkg"
        $resourceGet = Get-Module Microsoft.PowerShell.PSResourceGet -ListAvailable | Where-Object Version -GE 1.1

        # A home of its own, so that nothing is registered or installed on this machine; Windows has only one, so there it is only saved.
        $variables = 'HOME', 'XDG_DATA_HOME', 'XDG_CONFIG_HOME', 'PSModulePath'
        $before = $variables | ForEach-Object { @{ Name = $_; Value = [Environment]::GetEnvironmentVariable($_) } }
        $null = New-Item -ItemType Directory "$TestDrive/repository", "$TestDrive/saved", "$TestDrive/home/.local/share", "$TestDrive/home/.config"
        if ($IsLinux -or $IsMacOS) {
            $env:HOME = "$TestDrive/home"
            Remove-Item env:XDG_DATA_HOME, env:XDG_CONFIG_HOME -ErrorAction Ignore
            $install = 'Install-PSResource QemuGuestAgent -Repository $name -Scope CurrentUser'
        }
        else {
            $env:PSModulePath = "$TestDrive/saved;$env:PSModulePath"
            $install = "Save-PSResource QemuGuestAgent -Repository `$name -Path '$TestDrive/saved'"
        }
    }
    AfterAll { $before | ForEach-Object { Set-Item "env:$($_.Name)" $_.Value } }
    BeforeEach {
        if (-not $package) { Set-ItResult -Skipped -Because 'there is no package beside the module: ./build.ps1 Pack makes it' }
        elseif (-not $resourceGet) { Set-ItResult -Skipped -Because 'there is no Microsoft.PowerShell.PSResourceGet 1.1 or later; PowerShell 7.5 brings it' }
    }

    It 'is published, found and installed' {
        Invoke-Fresh "`$ErrorActionPreference = 'Stop'
            `$name = 'folder-$([guid]::NewGuid())'
            Register-PSResourceRepository `$name -Uri '$TestDrive/repository' -Trusted
            try {
                Publish-PSResource -NupkgPath '$($package.FullName)' -Repository `$name
                Find-PSResource QemuGuestAgent -Repository `$name | ForEach-Object { `$_.Name, `$_.Type, `$_.LicenseUri.OriginalString }
                $install
            }
            finally { Unregister-PSResourceRepository `$name }" | Should -Be 'QemuGuestAgent', 'Module', 'https://licenses.nuget.org/MIT'
    }

    It 'is imported by name, from there, and its manifest is good' {
        $path, $version, $cmdlets = Invoke-Fresh 'Import-Module QemuGuestAgent -ErrorAction Stop; $m = Get-Module QemuGuestAgent
            $m.Path; (Test-ModuleManifest (Join-Path $m.ModuleBase QemuGuestAgent.psd1) -ErrorAction Stop).Version.ToString(); $m.ExportedCmdlets.Count'
        $path | Should -BeLike "$TestDrive*"
        $version | Should -Be (Get-Module QemuGuestAgent).Version
        $cmdlets | Should -Be (Get-Module QemuGuestAgent).ExportedCmdlets.Count
    }

    It 'connects, synchronises and invokes, as the Quickstart does' {
        $lines = Invoke-Fresh '$ErrorActionPreference = "Stop"
            $vm = Connect-QemuGuestAgent embedded: -Name web1; $vm.State
            (Sync-QemuGuestAgent $vm).PSGuestName
            "guest-ping", "guest-get-host-name", "guest-get-osinfo", "guest-get-time" | ForEach-Object { Invoke-QemuGuestAgentCommand $vm $_ -Raw }
            Disconnect-QemuGuestAgent $vm; $vm.State'
        $lines | Should -HaveCount 7
        $lines[0, 1, 2, 6] | Should -Be 'Ready', 'web1', '{}', 'Closed'
        ($lines[3] | ConvertFrom-Json).'host-name' | Should -Be 'embedded'
        ($lines[4] | ConvertFrom-Json).id | Should -Not -BeNullOrEmpty
        [long] $lines[5] | Should -BeGreaterThan 1e18
    }

    It 'has its help' {
        Invoke-Fresh '(Get-Help Connect-QemuGuestAgent).Synopsis' | Should -Be (Get-Help Connect-QemuGuestAgent).Synopsis
    }
}
