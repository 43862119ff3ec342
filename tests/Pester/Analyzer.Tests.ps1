BeforeDiscovery {
    . $PSScriptRoot/Common.ps1
    $root = (Get-Item "$PSScriptRoot/../..").FullName
    # The manifest is looked at where it lies beside what it names.
    $scripts = @(Get-ChildItem $root -Recurse -File -Include *.ps1, *.psd1 |
            Where-Object { $_.FullName.Substring($root.Length) -notmatch '[\\/](bin|obj|out)[\\/]|^.QemuGuestAgent\.psd1$' }) + (Get-Item "$module/QemuGuestAgent.psd1") |
        ForEach-Object { @{ Name = $_.Name; Path = $_.FullName } }
}
BeforeAll { $analyzer = Get-Module PSScriptAnalyzer -ListAvailable }

Describe 'PSScriptAnalyzer' {
    It 'finds nothing in <Name>' -ForEach $scripts {
        if (-not $analyzer) { Set-ItResult -Skipped -Because 'there is no PSScriptAnalyzer: Install-PSResource PSScriptAnalyzer brings it' }
        Invoke-ScriptAnalyzer $Path -Settings "$PSScriptRoot/../../PSScriptAnalyzerSettings.psd1" -ErrorAction Stop |
            ForEach-Object { "$($_.RuleName), line $($_.Line): $($_.Message)" } | Should -BeNullOrEmpty
    }
}
