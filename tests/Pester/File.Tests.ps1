BeforeDiscovery { . $PSScriptRoot/Common.ps1 }
BeforeAll { . $PSScriptRoot/Common.ps1 }

Describe 'Files of the embedded guest, whose programs cannot help' {
    BeforeAll {
        $session = Connect-QemuGuestAgent embedded: -Name vm1
        $windows = Connect-QemuGuestAgent 'embedded:?os=windows' -Name vm2
        $here = New-Item -ItemType Directory (Join-Path $TestDrive 'here')
        $file = Join-Path $here 'file one'
        [IO.File]::WriteAllBytes($file, [byte[]](0..255))
    }
    AfterAll { Get-QemuGuestAgent | Disconnect-QemuGuestAgent }

    It 'copies to many guests at once and tells how each was verified' {
        $many = Connect-QemuGuestAgent embedded:, embedded:, embedded: -Name a, b, c
        $copies = Copy-QemuGuestItem $file /tmp/ -ToSession $many -PassThru -WarningVariable warnings -WarningAction SilentlyContinue
        $copies.PSGuestName | Sort-Object | Should -Be a, b, c
        $copies[0].psobject.TypeNames | Should -Contain 'QemuGuestAgent.ItemCopy'
        $copies.Destination | Should -Be '/tmp/file one', '/tmp/file one', '/tmp/file one'
        $copies[0].Length | Should -Be 256
        $copies[0].Hash | Should -Be (Get-FileHash $file).Hash
        "$($copies[0].Verified)" | Should -Be Size
        $copies[0].Atomic | Should -BeFalse
        $warnings | Should -HaveCount 3
        $warnings[0] | Should -BeLike '*in place*'
        ($copies | Format-Table | Out-String) | Should -Match 'Guest +Length +Verified'
        foreach ($guest in $many) {
            Get-QemuGuestContent $guest '/tmp/file one' -AsByteStream | Should -Be ([byte[]](0..255))
        }
    }

    It 'writes nothing without -PassThru' {
        Copy-QemuGuestItem $file /tmp/quiet -ToSession $session -WarningAction SilentlyContinue | Should -BeNullOrEmpty
    }

    It 'copies from a guest, to a file, a folder and the current folder' {
        Copy-QemuGuestItem -LiteralPath /etc/hostname -Destination (Join-Path $here back) -FromSession $session -WarningAction SilentlyContinue
        Get-Content (Join-Path $here back) | Should -Be embedded
        Push-Location $here
        try { Copy-QemuGuestItem /etc/hostname . -FromSession $session -WarningAction SilentlyContinue } finally { Pop-Location }
        Get-Content (Join-Path $here hostname) | Should -Be embedded
    }

    It 'takes paths by pipeline, with wildcards, and as they are' {
        1..3 | ForEach-Object { Set-Content (Join-Path $here "many$_") $_ }
        Get-ChildItem $here -Filter many* | Copy-QemuGuestItem -Destination /tmp -ToSession $session -WarningAction SilentlyContinue
        Copy-QemuGuestItem (Join-Path $here 'many[23]') /tmp -ToSession $session -Force -PassThru -WarningAction SilentlyContinue |
            Should -HaveCount 2
        Get-QemuGuestContent $session /tmp/many1, /tmp/many2, /tmp/many3 | Should -Be 1, 2, 3
        Set-Content -LiteralPath (Join-Path $here '[x]') x
        Copy-QemuGuestItem -LiteralPath (Join-Path $here '[x]') /tmp -ToSession $session -WarningAction SilentlyContinue
        Get-QemuGuestContent $session -LiteralPath '/tmp/[x]' | Should -Be x
        Get-QemuGuestContent $session '/tmp/`[x`]' | Should -Be x
    }

    It 'does not replace without -Force, and asks with -WhatIf' {
        Copy-QemuGuestItem $file /tmp/once -ToSession $session -WarningAction SilentlyContinue
        Copy-QemuGuestItem $file /tmp/once -ToSession $session -ErrorVariable failed -ErrorAction SilentlyContinue -WarningAction SilentlyContinue
        $failed.FullyQualifiedErrorId | Should -BeLike 'ItemExists,*'
        $failed.CategoryInfo.Category | Should -Be ResourceExists
        Copy-QemuGuestItem $file /tmp/never -ToSession $session -WhatIf
        { Get-QemuGuestContent $session /tmp/never -ErrorAction Stop } | Should -Throw -ErrorId GuestFileNotOpened*
    }

    It 'shows one bar a guest under one for all' {
        $path = Join-Path $TestDrive large
        [IO.File]::WriteAllBytes($path, [byte[]]::new(1MB))
        $shell = [powershell]::Create().AddScript('param($module, $path, $to) Import-Module $module
            $vm = Connect-QemuGuestAgent $to
            Copy-QemuGuestItem $path /tmp/large -ToSession $vm -WarningAction Ignore
            $vm | Disconnect-QemuGuestAgent').AddArgument($ModulePath).AddArgument($path).AddArgument(@((New-Endpoint 'delay=150'), (New-Endpoint 'delay=150')))
        $null = $shell.Invoke()
        $shell.Streams.Error | Should -BeNullOrEmpty
        $bars = @($shell.Streams.Progress | Where-Object RecordType -EQ Processing)
        ($bars | Where-Object ActivityId -EQ 0).StatusDescription[-1] | Should -Match '^\d+ of 2 files, .* of 2.0 MB, .*/s$'
        ($bars | Where-Object ActivityId -NE 0).ParentActivityId | Sort-Object -Unique | Should -Be 0
        ($bars | Where-Object ActivityId -NE 0).ActivityId | Sort-Object -Unique | Should -Be 1, 2
        @($shell.Streams.Progress | Where-Object RecordType -EQ Completed).ActivityId | Sort-Object -Unique | Should -Be 0, 1, 2
        $shell.Dispose()
    }

    It 'wants one direction' {
        { Copy-QemuGuestItem $file /tmp } | Should -Throw -ErrorId CopyDirectionNotGiven*
        { Copy-QemuGuestItem $file /tmp -ToSession $session -FromSession $session } | Should -Throw -ErrorId CopyDirectionNotGiven*
    }

    It 'goes on where one of several items fails' {
        $none = Join-Path $here none
        $copies = Copy-QemuGuestItem $none, $file /tmp/ -ToSession $session -Force -PassThru -WarningAction SilentlyContinue -ErrorAction SilentlyContinue -ErrorVariable failed
        $copies | Should -HaveCount 1
        $failed.FullyQualifiedErrorId | Should -BeLike 'FileNotReadable,*'
        Copy-QemuGuestItem relative $here -FromSession $session -ErrorAction SilentlyContinue -ErrorVariable failed -WarningAction SilentlyContinue
        $failed.FullyQualifiedErrorId | Should -BeLike 'GuestPathNotRooted,*'
    }

    It 'knows the paths of Windows, and says what it cannot do there' {
        Copy-QemuGuestItem $file 'C:\Windows\Temp\' -ToSession $windows -PassThru -WarningAction SilentlyContinue |
            ForEach-Object Destination | Should -Be 'C:\Windows\Temp\file one'
        Set-QemuGuestContent $windows C:\Windows\Temp\lines one, two
        Get-QemuGuestContent $windows C:\Windows\Temp\lines -Raw | Should -BeExactly "one`r`ntwo`r`n"
        Get-QemuGuestContent $windows C:\Windows\Temp\lines | Should -Be one, two
        Copy-QemuGuestItem 'C:\Windows\Temp\*' $here -FromSession $windows -ErrorAction SilentlyContinue -ErrorVariable failed -WarningAction SilentlyContinue
        $failed.FullyQualifiedErrorId | Should -BeLike 'GuestToolsMissing,*'
    }

    It 'refuses to copy to <_>, which is no folder here' -ForEach 'env:x', 'nosuchdrive:/x' {
        { Copy-QemuGuestItem /etc/hostname $_ -FromSession $session } | Should -Throw -ErrorId 'FileNotReadable,*'
    }

    It 'writes content, adds to it and gets it back' {
        'first', 2 | Set-QemuGuestContent $session /tmp/notes -WarningAction SilentlyContinue
        'third' | Add-QemuGuestContent $session /tmp/notes -WarningAction SilentlyContinue
        Get-QemuGuestContent $session /tmp/notes | Should -Be first, 2, third
        Get-QemuGuestContent $session /tmp/notes -Raw | Should -BeExactly "first`n2`nthird`n"
        Get-QemuGuestContent $session /tmp/notes -TotalCount 1 | Should -Be first
        Get-QemuGuestContent $session /tmp/notes -Tail 2 | Should -Be 2, third
        Get-QemuGuestContent $session /tmp/notes -AsByteStream -Tail 3 | Should -Be ([byte[]][char[]]"rd`n")
        Get-QemuGuestContent $session /tmp/notes -AsByteStream -TotalCount 2 | Should -Be ([byte[]][char[]]'fi')
        , (Get-QemuGuestContent $session /tmp/notes -AsByteStream -Raw) | Should -BeOfType byte[]
        Set-QemuGuestContent $session /tmp/notes '' -NoNewline -WarningAction SilentlyContinue
        Get-QemuGuestContent $session /tmp/notes -Raw | Should -BeExactly ''
    }

    It 'gives each guest of a pipeline the same content' {
        $many = Connect-QemuGuestAgent embedded:, embedded: -Name a, b
        $many | Set-QemuGuestContent -Path /tmp/x -Value one, two -WarningAction SilentlyContinue
        $many | Get-QemuGuestContent -Path /tmp/x | Should -Be one, two, one, two
        { $many | Set-QemuGuestContent -Path /tmp/x } | Should -Throw -ErrorId ContentIsSession*
    }

    It 'does not take what names the guest for the content' {
        { Get-QemuGuestLoad $session | Set-QemuGuestContent -Path /tmp/both } | Should -Throw -ErrorId ContentIsSession*
        { [pscustomobject]@{ Endpoint = 'embedded:' } | Set-QemuGuestContent -Path /tmp/both } | Should -Throw -ErrorId ContentIsSession*
        Get-QemuGuestLoad $session | Set-QemuGuestContent $session /tmp/load -WarningAction SilentlyContinue
        Get-QemuGuestContent $session /tmp/load | Should -BeLike '0.25*'
    }

    It 'writes and reads <Encoding>' -ForEach @(
        @{ Encoding = 'latin1'; Bytes = [byte[]](0xE4, 10) }
        @{ Encoding = 'unicode'; Bytes = [byte[]](0xFF, 0xFE, 0xE4, 0, 10, 0) }
        @{ Encoding = 'utf8'; Bytes = [byte[]](0xC3, 0xA4, 10) }
        @{ Encoding = 'utf8NoBOM'; Bytes = [byte[]](0xC3, 0xA4, 10) }
        @{ Encoding = 'utf8BOM'; Bytes = [byte[]](0xEF, 0xBB, 0xBF, 0xC3, 0xA4, 10) }
        @{ Encoding = 'bigendianunicode'; Bytes = [byte[]](0xFE, 0xFF, 0, 0xE4, 0, 10) }
        @{ Encoding = 'utf32'; Bytes = [byte[]](0xFF, 0xFE, 0, 0, 0xE4, 0, 0, 0, 10, 0, 0, 0) }
        @{ Encoding = 'bigendianutf32'; Bytes = [byte[]](0, 0, 0xFE, 0xFF, 0, 0, 0, 0xE4, 0, 0, 0, 10) }
        @{ Encoding = 'ansi'; Bytes = [Text.Encoding]::GetEncoding((Get-Culture).TextInfo.ANSICodePage).GetBytes("ä`n") }
        @{ Encoding = 'oem'; Bytes = [Text.Encoding]::GetEncoding((Get-Culture).TextInfo.OEMCodePage).GetBytes("ä`n") }
    ) {
        Set-QemuGuestContent $session /tmp/text 'ä' -Encoding $Encoding -WarningAction SilentlyContinue
        Get-QemuGuestContent $session /tmp/text -AsByteStream | Should -Be $Bytes
        Get-QemuGuestContent $session /tmp/text -Encoding $Encoding | Should -BeExactly 'ä'
        Get-QemuGuestContent $session /tmp/text -Encoding $Encoding -Tail 1 | Should -BeExactly 'ä'
        if ($Encoding -match 'utf|unicode') { Get-QemuGuestContent $session /tmp/text | Should -BeExactly 'ä' }
    }

    It 'writes a byte order mark once, and finds the encoding by it' {
        $mark = [Text.UnicodeEncoding]::new($false, $true)
        Set-QemuGuestContent $session /tmp/marked one -Encoding $mark -WarningAction SilentlyContinue
        Add-QemuGuestContent $session /tmp/marked two -Encoding $mark -WarningAction SilentlyContinue
        (Get-QemuGuestContent $session /tmp/marked -AsByteStream)[0..3] | Should -Be 0xFF, 0xFE, 0x6F, 0
        Get-QemuGuestContent $session /tmp/marked | Should -BeExactly one, two
        Get-QemuGuestContent $session /tmp/marked -Raw | Should -BeExactly "one`ntwo`n"
    }

    It 'takes bytes' {
        Set-QemuGuestContent $session /tmp/blob ([byte[]](0..255)) -AsByteStream -WarningAction SilentlyContinue
        Get-QemuGuestContent $session /tmp/blob -AsByteStream | Should -Be ([byte[]](0..255))
    }

    It 'refuses <Name> as bytes, and writes nothing' -ForEach @(
        @{ Name = 'text'; Value = 65, 'abc' }
        @{ Name = 'a number that is too large'; Value = 65, 256 }
        @{ Name = 'null'; Value = 65, $null }
    ) {
        { Set-QemuGuestContent $session /tmp/nobytes $Value -AsByteStream } | Should -Throw -ErrorId ContentNotBytes*
        { Get-QemuGuestContent $session /tmp/nobytes -ErrorAction Stop } | Should -Throw -ErrorId GuestFileNotOpened*
    }

    It 'refuses parameters that do not go together' {
        { Get-QemuGuestContent $session } | Should -Throw -ErrorId ContentArgumentsMismatch*
        { Get-QemuGuestContent $session /x -Raw -Tail 1 } | Should -Throw -ErrorId ContentArgumentsMismatch*
        { Get-QemuGuestContent $session /x -TotalCount 1 -Tail 1 } | Should -Throw -ErrorId ContentArgumentsMismatch*
    }

    It 'warns where everybody may write to a new file' {
        Set-QemuGuestContent $session /tmp/open x -WarningVariable warnings -WarningAction SilentlyContinue
        $warnings | Should -BeLike '*everyone*'
    }
}

Describe 'Files of a real guest' @NeedsRealAgent {
    BeforeAll {
        $agent = Start-RealAgent
        $folder = $agent.Folder
        $session = Connect-QemuGuestAgent $agent.Endpoint -Name real
        $here = New-Item -ItemType Directory (Join-Path $folder here)
        $there = New-Item -ItemType Directory (Join-Path $folder there)
    }
    AfterAll {
        Get-QemuGuestAgent | Disconnect-QemuGuestAgent
        Stop-RealAgent $agent
    }

    It 'copies a tree there and back, verified by SHA-256' {
        New-Item -ItemType Directory "$here/tree/sub dir" | Out-Null
        Set-Content "$here/tree/a" A
        Set-Content "$here/tree/sub dir/b" B
        $sent = Copy-QemuGuestItem "$here/tree" $there -ToSession $session -Recurse -PassThru
        $sent | Should -HaveCount 2
        $sent.Verified | ForEach-Object { "$_" } | Should -Be Sha256, Sha256
        $sent.Atomic | Should -Be $true, $true
        $back = Copy-QemuGuestItem "$there/tree/*" $here -FromSession $session -Recurse -PassThru
        $back | Should -HaveCount 2
        Get-Content "$here/sub dir/b" | Should -Be B
        Get-ChildItem $folder -Recurse -Force -Filter *.partial | Should -BeNullOrEmpty
    }

    It '-Checksum copies what has another content, and -FollowLinks what links lead to' {
        $null = New-Item "$here/linked" -ItemType Directory
        Set-Content "$here/linked/file" 'one'
        Set-Content "$here/elsewhere" 'two'
        $null = New-Item "$here/linked/link" -ItemType SymbolicLink -Value "$here/elsewhere"
        Copy-QemuGuestItem "$here/linked" $there -ToSession $session -Recurse -WarningVariable left -WarningAction SilentlyContinue
        "$left" | Should -BeLike "The link '$here/linked/link' to '$here/elsewhere' is not copied. -FollowLinks *"
        (Get-Item "$here/linked/file").LastWriteTime = Get-Date 2001-02-03
        $copied = Copy-QemuGuestItem "$here/linked" $there -ToSession $session -Recurse -Checksum -FollowLinks -PassThru
        $copied.Source | Should -Be "$here/linked/link"
        Get-Content "$there/linked/link" | Should -Be 'two'
    }

    It '-Update copies what is not there as it is here, and names the rest with -Verbose' {
        $null = New-Item "$here/web/css" -ItemType Directory
        Set-Content "$here/web/index.html", "$here/web/css/a.css", "$here/web/css/b.css" 'one'
        Copy-QemuGuestItem "$here/web" $there -ToSession $session -Recurse -Update -PassThru | Should -HaveCount 3
        Set-Content "$here/web/css/a.css" 'another'
        $all = Copy-QemuGuestItem "$here/web" $there -ToSession $session -Recurse -Update -PassThru -Verbose 4>&1
        $written, $told = $all.Where({ $_ -isnot [Management.Automation.VerboseRecord] }, 'Split')
        $written.Destination | Should -Be "$there/web/css/a.css"
        @($told | Where-Object Message -Like '*is there already.') | Should -HaveCount 2
        Get-Content "$there/web/css/a.css" | Should -Be another
    }

    It 'survives remoting' {
        $copy = Copy-QemuGuestItem /etc/hostname "$here/serialized" -FromSession $session -PassThru
        $path = Join-Path $TestDrive copy.xml
        $copy | Export-Clixml $path
        $again = Import-Clixml $path
        $again.Length | Should -Be $copy.Length
        $again.PSGuestName | Should -Be real
    }

    It 'reads /proc, wildcards and the tail of a long file' {
        Get-QemuGuestContent $session /proc/version -Raw | Should -Be ([IO.File]::ReadAllText('/proc/version'))
        1..50000 | Set-Content "$there/long.log"
        Get-QemuGuestContent $session "$there/l*.log" -Tail 3 | Should -Be 49998, 49999, 50000
        Get-QemuGuestContent $session "$there/l*.log" -Tail 40000 | Measure-Object | ForEach-Object Count | Should -Be 40000
        Get-QemuGuestContent $session "$there/long.log" -TotalCount 2 | Should -Be 1, 2
        (Get-QemuGuestContent $session "$there/long.log").Count | Should -Be 50000
    }

    It 'follows a file' {
        Set-Content "$there/follow" one, two
        $lines = [Collections.Generic.List[string]]::new()
        Get-QemuGuestContent $session "$there/follow" -Tail 1 -Wait | ForEach-Object {
            $lines.Add($_)
            if ($_ -eq 'two') { Add-Content "$there/follow" three }
            $_
        } | Select-Object -First 2 | Should -Be two, three
        $lines | Should -Be two, three
        Get-QemuGuestContent $session "$there/follow" -Wait -TimeoutSeconds 1 | Should -Be one, two, three
    }

    It 'makes a new file for its owner alone' {
        Set-QemuGuestContent $session "$there/new" x -WarningVariable warnings
        $warnings | Should -BeNullOrEmpty
        "$([IO.File]::GetUnixFileMode("$there/new"))" | Should -Be 'UserWrite, UserRead'
    }

    It 'keeps mode, owner and names of what it replaces, there and here, and says whose file is in the way' {
        'new' | Set-Content "$here/fresh"
        'old' | Set-Content "$there/config"
        New-Item -ItemType HardLink "$there/config.other" -Target "$there/config" | Out-Null
        New-Item -ItemType SymbolicLink "$there/config.link" -Target config | Out-Null
        [IO.File]::SetUnixFileMode("$there/config", 'UserRead, UserWrite, GroupRead')
        $before = & stat -c '%u %g %a %h %i' "$there/config"
        Copy-QemuGuestItem "$here/fresh" "$there/config.link" -ToSession $session -ErrorAction SilentlyContinue -ErrorVariable failed
        $failed.FullyQualifiedErrorId | Should -BeLike 'ItemExists,*'
        "$failed" | Should -BeLike "*already exists in the guest of *: it belongs to $(& id -un), and was changed on $(Get-Date -Format yyyy)-*"
        $copy = Copy-QemuGuestItem "$here/fresh" "$there/config.link" -ToSession $session -Force -PassThru
        $copy.Atomic | Should -BeFalse
        Get-Content "$there/config", "$there/config.other" | Should -Be new, new
        & stat -c '%u %g %a %h %i' "$there/config" | Should -Be $before
        (Get-Item "$there/config.link").LinkType | Should -Be SymbolicLink
        Set-QemuGuestContent $session "$there/config.link" written
        Get-Content "$there/config.other" | Should -Be written
        & stat -c '%u %g %a %h %i' "$there/config" | Should -Be $before

        'old' | Set-Content "$here/mine"
        [IO.File]::SetUnixFileMode("$here/mine", 'UserRead, UserWrite, GroupRead')
        Copy-QemuGuestItem "$there/config" "$here/mine" -FromSession $session -ErrorAction SilentlyContinue -ErrorVariable failed
        "$failed" | Should -BeLike "*already exists on this computer: it belongs to $(& id -un), and was changed on *"
        (Copy-QemuGuestItem "$there/config" "$here/mine" -FromSession $session -Force -PassThru).Atomic | Should -BeTrue
        Get-Content "$here/mine" | Should -Be written
        "$([IO.File]::GetUnixFileMode("$here/mine"))" | Should -Be 'GroupRead, UserWrite, UserRead'
    }

    It 'says with -WhatIf which files would be replaced, and does nothing' {
        New-Item -ItemType Directory "$here/site/sub", "$there/site/sub", "$here/back" | Out-Null
        'a', 'b', 'c' | ForEach-Object { Set-Content "$here/site/sub/$_" new }
        'a', 'c', 'd' | ForEach-Object { Set-Content "$there/site/sub/$_" old }
        Set-Content "$here/back/d" mine
        (Get-Item "$there/site/sub/a").LastWriteTime = '2001-02-03'
        (Get-Item "$there/site/sub/c").LastWriteTime = (Get-Item "$here/site/sub/c").LastWriteTime
        $log = Join-Path $TestDrive whatif.txt
        Start-Transcript $log | Out-Null
        try {
            Copy-QemuGuestItem "$here/site" $there -ToSession $session -Recurse -WhatIf
            Copy-QemuGuestItem "$here/site" $there -ToSession $session -Recurse -Force -WhatIf
            Copy-QemuGuestItem "$there/site/sub/*" "$here/back" -FromSession $session -Force -WhatIf
            Copy-QemuGuestItem "$here/site/sub/b" "$there/b" -ToSession $session -Force -WhatIf
            Copy-QemuGuestItem "$here/site" $there -ToSession $session -Recurse -Update -WhatIf
        }
        finally { Stop-Transcript | Out-Null }
        $told = @(Get-Content $log | Where-Object { $_ -like 'What if:*' })
        $told | Should -HaveCount 5
        $told[4] | Should -BeLike "*'$there' in the guest, replacing '$there/site/sub/a'`"*"
        $told[0] | Should -BeLike "*'$there' in the guest, but not what exists: '$there/site/sub/a', '$there/site/sub/c'`"*"
        $told[1] | Should -BeLike "*'$there' in the guest, replacing '$there/site/sub/a', '$there/site/sub/c'`"*"
        $told[2] | Should -BeLike "*to '$here/back', replacing '$here/back/d'`"*"
        $told[3] | Should -BeLike "*to '$there/b' in the guest`"*"
        Get-Content "$there/site/sub/a", "$here/back/d" | Should -Be old, mine
        Get-ChildItem "$here/back" | Should -HaveCount 1
        Test-Path "$there/b", "$there/site/sub/b" | Should -Be $false, $false
        $WhatIfPreference = $true
        Copy-QemuGuestItem "$here/site/sub/b" "$there/b" -ToSession $session -Force
        Test-Path "$there/b" | Should -BeFalse
        Copy-QemuGuestItem "$here/site/sub/b" "$there/b" -ToSession $session -WhatIf:$false
        Test-Path "$there/b" | Should -BeTrue
    }

    It 'says with -WhatIf which links would be made, in both directions' {
        $log = Join-Path $TestDrive whatif.txt
        foreach ($root in $here, $there) {
            $null = New-Item "$root/links", "$root/in/links" -ItemType Directory
            'new', 'same', 'other', 'taken' | ForEach-Object { & ln -s file "$root/links/$_" }
            & ln -s /etc/passwd "$root/links/outside"
            & ln -s file "$root/in/links/same"
            & ln -s old "$root/in/links/other"
            Set-Content "$root/in/links/taken" mine
        }
        Start-Transcript $log | Out-Null
        try {
            Copy-QemuGuestItem "$here/links" "$there/in" -ToSession $session -Recurse -WhatIf
            Copy-QemuGuestItem "$here/links" "$there/in" -ToSession $session -Recurse -Force -WhatIf
            Copy-QemuGuestItem "$there/links" "$here/in" -FromSession $session -Recurse -WhatIf
            Copy-QemuGuestItem "$there/links" "$here/in" -FromSession $session -Recurse -Force -WhatIf
        }
        finally { Stop-Transcript | Out-Null }
        $told = @(Get-Content $log | Where-Object { $_ -like 'What if:*' })
        $told | Should -HaveCount 4
        for ($i = 0; $i -lt 4; $i += 2) {
            $in = "$(if ($i) { $here } else { $there })/in/links"
            $told[$i] | Should -BeLike "*, but not what exists: '$in/other', '$in/taken', making links: '$in/new' to 'file'`"*"
            $told[$i + 1] | Should -BeLike "*, replacing '$in/other', making links: '$in/new' to 'file'`"*"
        }
        Test-Path "$there/in/links/new", "$here/in/links/new" | Should -Be $false, $false
    }

    It 'replaces no pipe, there or here, and writes to a device' {
        & mkfifo "$there/pipe" "$here/pipe"
        'x' | Set-Content "$here/plain"
        Copy-QemuGuestItem "$here/plain" "$there/pipe" -ToSession $session -Force -ErrorAction SilentlyContinue -ErrorVariable failed
        $failed.FullyQualifiedErrorId | Should -BeLike 'ItemNotFile,*'
        Copy-QemuGuestItem /etc/hostname "$here/pipe" -FromSession $session -Force -ErrorAction SilentlyContinue -ErrorVariable failed
        $failed.FullyQualifiedErrorId | Should -BeLike 'ItemNotFile,*'
        Set-QemuGuestContent $session /dev/null x -ErrorAction Stop
        & test -c /dev/null
        $LASTEXITCODE | Should -Be 0
    }

    It 'Ctrl+C removes what is not whole and keeps the session' {
        $file = [IO.File]::Create("$here/large")
        $file.SetLength(400MB)
        $file.Dispose()
        $shell = [powershell]::Create([Management.Automation.RunspaceMode]::NewRunspace)
        try {
            $shell.AddScript('param($module, $session, $file, $to) Import-Module $module; Copy-QemuGuestItem $file $to -ToSession $session').
                AddArgument($ModulePath).AddArgument($session).AddArgument("$here/large").AddArgument("$there").BeginInvoke() | Out-Null
            Wait-Until { Get-ChildItem "$there/.large.*.partial/*" -Force | Where-Object Length -gt 0 }
            $shell.Stop()
        }
        finally { $shell.Dispose() }
        Get-ChildItem $there -Force -Filter *large* | Should -BeNullOrEmpty
        Get-QemuGuestContent $session /etc/hostname | Should -Be (Get-Content /etc/hostname)
    }
}
