# What a Windows guest does with files for its host. Each function takes texts and writes texts, and keeps nothing. A path that the
# user named (a root) may lead over links; below it none is followed. While a file is open nobody can rename a folder above it, or put
# a link in the place of one: so what matters is looked at while a file is held there.

function Join-Way([string] $Folder, [string] $Name) {
    if ($Folder -match '[\\/]$') { $Folder + $Name } else { "$Folder\$Name" }
}

# The attributes of what is at a path, which may be a link; nothing where nothing is.
function Get-Attribute([string] $Path) {
    $attributes = [IO.FileInfo]::new($Path).Attributes
    if ([int] $attributes -ne -1) { $attributes }
}

function Test-Flag($Attributes, [IO.FileAttributes] $Flag) { $null -ne $Attributes -and ($Attributes -band $Flag) -ne 0 }

# Where a link leads. What is stored elsewhere by other means is no link, and a folder with a volume in it is that volume.
function Get-LinkTarget([string] $Path) {
    if (([int] [IO.FileInfo]::new($Path).Attributes -band 0x80000400) -ne 0x400) { return }
    $item = Get-Item -LiteralPath $Path -Force
    $target = [string] @($item.Target)[0] -replace '^(\\\\\?\\|\\\?\?\\)', ''
    if ($item.LinkType -notin 'SymbolicLink', 'Junction' -or $target -match '^Volume\{') { return }
    [IO.Path]::GetFullPath([IO.Path]::Combine([IO.Path]::GetDirectoryName($Path), ($target -replace '^UNC\\', '\\')))
}

# A path without links; what is not there is as it was named.
function Resolve-Root([string] $Path) {
    $full = [IO.Path]::GetFullPath($Path)
    for ($links = 0; $links -le 40; $links++) {
        $here = [IO.Path]::GetPathRoot($full)
        $names = @($full.Substring($here.Length) -split '\\' -ne '')
        $target = $null
        for ($i = 0; $i -lt $names.Count -and -not $target; $i++) {
            $here = $here.TrimEnd('\') + '\' + $names[$i]
            $target = Get-LinkTarget $here
        }
        if (-not $target) { return $here }
        $full = [IO.Path]::GetFullPath((@($target) + @($names | Select-Object -Skip $i)) -join '\')
    }
    Stop-Question Replaced "'$Path' leads over too many links."
}

function Assert-NoLink([string] $Path) {
    if ((Resolve-Root $Path) -ne $Path) { Stop-Question Replaced "There is a link on the way to '$Path'." }
}

# The path of a folder without links: a root, and the way down from there.
function Resolve-Folder([string] $Root, [string] $Way) {
    $here = Resolve-Root $Root
    if (-not [IO.Directory]::Exists($here)) { Stop-Question NoFolder "'$Root' is not there." }
    foreach ($name in $Way -split '\\' -ne '') {
        $here = Join-Way $here $name
        $attributes = Get-Attribute $here
        if ($null -eq $attributes) { Stop-Question NoFolder "'$here' is not there." }
        if (-not (Test-Flag $attributes 'Directory') -or (Test-Flag $attributes 'ReparsePoint')) { Stop-Question Replaced "'$here' is a link." }
    }
    $here
}

# Whether others have a file open, or do not let it be opened so.
function Test-InUse($Failure) { $Failure.Exception.GetBaseException().HResult -in -2147024864, -2147024863 }

# Ends where nobody has a file so open that it cannot be opened: then the agent has opened another one.
function Assert-Held([string] $Path, [string] $Access, [string] $Share) {
    try { [IO.FileStream]::new($Path, 'Open', $Access, $Share).Dispose() }
    catch {
        if (Test-InUse $_) { return }
        throw
    }
    Stop-Question Replaced "'$Path' is not what the agent has opened."
}

# Ends where what is open here has not that path, without links: a lock far behind its end, at a place that nobody can guess, must show
# by the path too.
function Assert-Place([IO.FileStream] $Stream, [string] $Path) {
    $position = [BitConverter]::ToInt64([Guid]::NewGuid().ToByteArray(), 8) -band 0x3fffffffffffffff
    $Stream.Lock($position, 1)
    Assert-NoLink $Path
    $same = [IO.FileStream]::new($Path, 'Open', 'Read', 'ReadWrite, Delete')
    try {
        $same.Lock($position, 1)
        $isSame = $false
    }
    catch {
        if (-not (Test-InUse $_)) { throw }
        $isSame = $true
    }
    finally { $same.Dispose() }
    Assert-NoLink $Path
    if (-not $isSame) { Stop-Question Replaced "'$Path' was replaced." }
}

# The SHA-256 of the first bytes of a file.
function Get-Sum([IO.Stream] $Stream, [long] $Length) {
    $sha = New-Object Security.Cryptography.SHA256CryptoServiceProvider
    $Stream.Position = 0
    if ($Length -ge $Stream.Length) { $null = $sha.ComputeHash($Stream) }
    else {
        $buffer = New-Object byte[] 1MB
        while ($Length -gt 0 -and ($count = $Stream.Read($buffer, 0, [Math]::Min($buffer.Length, $Length))) -gt 0) {
            $null = $sha.TransformBlock($buffer, 0, $count, $null, 0)
            $Length -= $count
        }
        $null = $sha.TransformFinalBlock($buffer, 0, 0)
    }
    [BitConverter]::ToString($sha.Hash).Replace('-', '').ToLowerInvariant()
}

# What the host asks for: lists.

# The paths that a pattern finds. What is hidden only comes by its name.
function Expand-Path([string] $Pattern) {
    $names = $Pattern -split '[\\/]'
    $found = @('')
    for ($i = 0; $i -lt $names.Count; $i++) {
        $isLast = $i -eq $names.Count - 1
        $found = @(
            foreach ($folder in $found) {
                if ([Management.Automation.WildcardPattern]::ContainsWildcardCharacters($names[$i])) {
                    $name = New-Object Management.Automation.WildcardPattern $names[$i], 'IgnoreCase'
                    if ([IO.Directory]::Exists($folder)) {
                        ([IO.DirectoryInfo] $folder).GetFileSystemInfos() |
                            Where-Object { $name.IsMatch($_.Name) -and -not (Test-Flag $_.Attributes 'Hidden') } |
                            Where-Object { $isLast -or (Test-Flag $_.Attributes 'Directory') } | ForEach-Object { $folder + $_.Name }
                    }
                }
                else { $folder + [Management.Automation.WildcardPattern]::Unescape($names[$i]) }
            }
        )
        if (-not $isLast) { $found = @($found | ForEach-Object { "$_\" }) }
    }
    $found | Where-Object { $null -ne (Get-Attribute $_) }
}

# One record: type, length, seconds since 1970, mode (which Windows has not) and path.
filter Format-Item([string] $Type, [string] $Path) {
    "$Type $(if ($Type -eq 'f') { $_.Length } else { 0 }) $(($_.LastWriteTimeUtc.Ticks - 621355968000000000) / 10000000d) 0 $Path"
}

# Lists what is at a path, which may be a pattern, and what is in folders: f is a file, d a folder, l a link, u a folder that cannot be
# listed. A link that was named is followed. (A hundred thousand items take seconds: nothing here is called for each of them.)
function Get-ItemList([string] $Path, [string] $IsPattern, [string] $IsDeep) {
    $roots = @($Path)
    if ($IsPattern -eq 'y') { $roots = @(Expand-Path $Path) }
    foreach ($root in $roots) {
        if ($null -eq (Get-Attribute $root)) { continue }
        ''
        $real = Resolve-Root $root
        $attributes = Get-Attribute $real
        if ($null -eq $attributes) { "l 0 0 0 $root" }
        elseif (-not (Test-Flag $attributes 'Directory')) { [IO.FileInfo] $real | Format-Item f $root }
        else {
            $left = New-Object Collections.Stack
            $left.Push(@(([IO.DirectoryInfo] $real), $root))
            while ($left.Count -gt 0) {
                $folder, $at = $left.Pop()
                $type = 'd'
                $items = @()
                if ($IsDeep -eq 'y') {
                    try { $items = $folder.GetFileSystemInfos() }
                    catch [UnauthorizedAccessException], [IO.IOException] { $type = 'u' }
                }
                $folder | Format-Item $type $at
                $inside = Join-Way $at ''
                foreach ($item in $items) {
                    $attributes = [int] $item.Attributes
                    if (($attributes -band 0x410) -eq 0x10) { $left.Push(@($item, ($inside + $item.Name))) }
                    elseif (($attributes -band 0x400) -and (($attributes -band 0x10) -or (Get-LinkTarget $item.FullName))) {
                        $item | Format-Item l ($inside + $item.Name)
                    }
                    else { "f $($item.Length) $(($item.LastWriteTimeUtc.Ticks - 621355968000000000) / 10000000d) 0 $inside$($item.Name)" }
                }
            }
        }
    }
}

# Ends where a file cannot be opened to be read because others write to it.
function Test-Opening([string] $Path) {
    try { [IO.FileStream]::new($Path, 'Open', 'Read', 'Read').Dispose() }
    catch {
        if (Test-InUse $_) { Stop-Question InUse "'$Path' is in use." }
    }
}

# Ends where a file that the agent has opened is not the one below a root, on a way through no link. The SHA-256 of its first bytes, if
# a length is given: who exchanges a file for one that is not his does not know that.
function Get-HeldHash([string] $Root, [string] $Way, [string] $Length) {
    $path = Resolve-Root $Root
    if ($Way) {
        $parent, $name = ($Way -replace '[^\\]*$', ''), ($Way -split '\\')[-1]
        $path = Join-Way (Resolve-Folder $Root $parent) $name
    }
    Assert-Held $path 'Read' 'None'
    $stream = [IO.FileStream]::new($path, 'Open', 'Read', 'ReadWrite, Delete')
    try {
        if ($Way) { Assert-Place $stream $path }
        if ($Length) { Get-Sum $stream $Length }
    }
    finally { $stream.Dispose() }
}

# The SHA-256 of files below a root, on ways through no link; with an empty way it is that file itself. Empty where there is no such file.
function Get-SumList([string] $Root, [Parameter(ValueFromRemainingArguments)] [string[]] $Ways) {
    foreach ($way in $Ways) {
        $sum = ''
        try {
            $path = Resolve-Root $Root
            if ($way) {
                $path = Join-Way (Resolve-Folder $Root ($way -replace '[^\\]*$', '')) ($way -split '\\')[-1]
                Assert-NoLink $path
            }
            $stream = [IO.FileStream]::new($path, 'Open', 'Read', 'ReadWrite, Delete')
            try { $sum = Get-Sum $stream $stream.Length }
            finally { $stream.Dispose() }
        }
        catch { $sum = '' }
        $sum
    }
}

# What the host asks for: writing.

# Writes a piece at the end of a file, which is made or emptied before, and the mark before all else.
function Add-FileContent([string] $Path, [string] $Empties, [string] $Mark, [string] $Content) {
    $real = Resolve-Root $Path
    $attributes = Get-Attribute $real
    if (Test-Flag $attributes 'Directory') { Stop-Question IsFolder "'$Path' is a folder." }
    if (-not [IO.Directory]::Exists([IO.Path]::GetDirectoryName($real))) { Stop-Question NoFolder "The folder of '$Path' is not there." }
    $mode = 'Open'
    if ($null -eq $attributes) { $mode = 'CreateNew' }
    try { $stream = [IO.FileStream]::new($real, $mode, 'ReadWrite', 'ReadWrite, Delete') }
    catch {
        if (Test-InUse $_) { Stop-Question InUse "'$Path' is in use." }
        throw
    }
    try {
        Assert-Place $stream $real
        if ($Empties -eq 'y') { $stream.SetLength(0) }
        $null = $stream.Seek(0, 'End')
        $bytes = [Convert]::FromBase64String($Content)
        if ($stream.Length -eq 0) { $bytes = [byte[]] ([Convert]::FromBase64String($Mark) + $bytes) }
        $stream.Write($bytes, 0, $bytes.Length)
        $stream.Flush($true)
    }
    finally { $stream.Dispose() }
}

# Makes folders below a root, parents first; tells which were not there.
function New-FolderList([string] $Root, [Parameter(ValueFromRemainingArguments)] [string[]] $Ways) {
    foreach ($way in $Ways) {
        $parent, $name = ($way -replace '[^\\]*$', ''), ($way -split '\\')[-1]
        $path = Join-Way (Resolve-Folder $Root $parent) $name
        $attributes = Get-Attribute $path
        if ($null -eq $attributes) {
            $null = [IO.Directory]::CreateDirectory($path)
            $way
        }
        elseif (Test-Flag $attributes 'ReparsePoint') { Stop-Question Replaced "'$path' is a link." }
        elseif (-not (Test-Flag $attributes 'Directory')) { Stop-Question NotFolder "'$path' is a file." }
    }
}

# Gives folders below a root their times: way and ticks of each. Tells where that failed.
function Set-FolderTime([string] $Root, [Parameter(ValueFromRemainingArguments)] [string[]] $Folders) {
    for ($i = 0; $i + 1 -lt $Folders.Count; $i += 2) {
        try { [IO.Directory]::SetLastWriteTimeUtc((Resolve-Folder $Root $Folders[$i]), (New-Object DateTime ([long] $Folders[$i + 1]), 'Utc')) }
        catch { $Folders[$i] }
    }
}
