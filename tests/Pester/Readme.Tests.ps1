BeforeDiscovery {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Example.ps1

    # What is typed at the prompts, each with what is written below it.
    $text = [IO.File]::ReadAllText("$PSScriptRoot/../../README.md") -replace '\r'
    $typed = foreach ($block in [regex]::Matches($text, '(?ms)^```\n(?<lines>PS> .*?)\n```$')) {
        foreach ($entry in [regex]::Matches($block.Groups['lines'].Value, '(?m)^(PS> |(?=\[\S+: PS))(?<command>.*)\n?(?<output>(?:(?!PS> |\[\S+: PS).*(\n|\z))*)')) {
            @{ Command = $entry.Groups['command'].Value; Output = $entry.Groups['output'].Value }
        }
    }
    foreach ($entry in $typed) { $entry.Index = $typed.IndexOf($entry) }
    $readme = @{ Typed = $typed; NoHost = Get-NoHostReason }
}
BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Example.ps1

    # What is another at each run or on each machine, and the order in which guests answer.
    function Get-StableLine([string] $Text) {
        $lines = $Text -split '\r?\n' -replace '\s+', ' ' -replace ' $' -ne '' `
            -replace '\b\d\d:\d\d:\d\d\.\d+', '<duration>' `
            -replace '\b\d{15,}\b', '<id>' `
            -replace '^ ?\d+ (web1|db1) ', '<id> $1 ' `
            -replace '^(web1|db1) \d+ (\d+) \d+\.\d\d ', '$1 <pid> $2 <seconds> ' `
            -replace '(?<![.\d])\d+\.\d+\.\d+(?![.\d])[\w-]*', '<version>' `
            -replace '^(web1|db1) .* (x86_64|aarch64)$', '$1 <system>'
        $lines | Sort-Object
    }
}

Describe 'What the README shows' -ForEach $readme {
    BeforeAll { if (-not $NoHost) { $results = @(Invoke-OnHost { Invoke-Console $args[0] /srv } $Typed.Command "$TestDrive") } }

    It 'is what <Command> writes' -ForEach $Typed {
        if ($NoHost) { Set-ItResult -Skipped -Because $NoHost }
        Get-StableLine $results[$Index] | Should -BeExactly (Get-StableLine $Output)
    }
}
