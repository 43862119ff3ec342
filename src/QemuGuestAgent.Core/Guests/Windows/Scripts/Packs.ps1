# Many small files to or from a Windows guest at once. Their content comes and goes compressed, one after the other; what each is only
# the host says. A file with which something is wrong stays undone and untold: it is then copied alone, with an error of its own.

# Gives files their places, each told by five texts: way to its folder, name, length, SHA-256, ticks. Each is written into a private
# folder in the root before. Tells of each that has its place now: its number, and what it did not get.
function Expand-Pack([string] $Root, [string] $Folder, [string] $Replaces, [string] $Content,
    [Parameter(ValueFromRemainingArguments)] [string[]] $Texts) {
    $private = Join-Way (Resolve-Folder $Root '') $Folder
    New-PrivateFolder $private
    $lock = Lock-PrivateFolder $private
    try {
        $packed = New-Object IO.MemoryStream (, [Convert]::FromBase64String($Content))
        $reader = New-Object IO.BinaryReader (New-Object IO.Compression.GZipStream $packed, ([IO.Compression.CompressionMode]::Decompress))
        $held = $null
        for ($i = 0; $i -lt $Texts.Count -and -not (Test-Stopped $Folder); $i += 5) {
            $way, $name, $length, $sum, $ticks = $Texts[$i..($i + 4)]
            $bytes = $reader.ReadBytes($length)
            $part = Join-Way $private "part.$i"
            try {
                if ($i -eq 0 -or -not [string]::Equals($way, $at, 'Ordinal')) {
                    if ($held) { $held.Dispose() }
                    $held = $null
                    $at = $way
                    $there = Resolve-Folder $Root $way
                    $held = Lock-Folder $there
                }
                if ($held) {
                    Write-Part $part $bytes $sum
                    $missing = @(Set-Place $part (Join-Way $there $name) $Replaces $ticks)
                    [string] ($i / 5)
                    $missing -join ' and '
                }
            }
            catch { Write-Debug "$_ It is left to the host." }
        }
    }
    finally {
        if ($held) { $held.Dispose() }
        Remove-Pack $private $lock
    }
}

function Write-Part([string] $Path, [byte[]] $Bytes, [string] $Sum) {
    $stream = [IO.FileStream]::new($Path, 'CreateNew', 'ReadWrite', 'None')
    try {
        $stream.Write($Bytes, 0, $Bytes.Length)
        if ((Get-Sum $stream $stream.Length) -ne $Sum) { Stop-Question Differs "'$Path' is not what was sent." }
    }
    finally { $stream.Dispose() }
}

# The host no longer waits for a pack: no more files get their places.
function Stop-Pack([string] $Folder) { [AppDomain]::CurrentDomain.SetData($Folder, 'stopped') }

function Test-Stopped([string] $Folder) { $null -ne [AppDomain]::CurrentDomain.GetData($Folder) }

# Removes private folders whose names begin so and whose helper has ended: nobody else has a lock in them.
function Clear-Pack([string] $Root, [string] $Prefix) {
    foreach ($private in @(Find-PrivateFolder (Resolve-Folder $Root '') $Prefix)) {
        try {
            $lock = Lock-PrivateFolder $private
            if ([IO.Directory]::GetFiles($private, '.lock*').Count -gt 1) { $lock.Dispose() } else { Remove-Pack $private $lock }
        }
        catch { Write-Debug "$_ It is left alone." }
    }
}

# What is in it beside parts of a pack stays, and its folder then.
function Remove-Pack([string] $Private, [IO.FileStream] $Lock) {
    try {
        foreach ($file in [IO.Directory]::GetFiles($Private, 'part*')) { [IO.File]::Delete($file) }
        $Lock.Dispose()
        [IO.Directory]::Delete($Private)
    }
    catch { Write-Debug "$_ The next copy removes it." }
    finally { $Lock.Dispose() }
}

# Tells of files below a root, each given by its way and its length, the SHA-256; empty where it is not so any more, or is being written
# to. Then the content of those that have one.
function Compress-Pack([string] $Root, [Parameter(ValueFromRemainingArguments)] [string[]] $Texts) {
    $real = Resolve-Root $Root
    $content = New-Object IO.MemoryStream
    $packed = New-Object IO.Compression.GZipStream $content, ([IO.Compression.CompressionMode]::Compress)
    for ($i = 0; $i -lt $Texts.Count; $i += 2) {
        $sum = ''
        try {
            $path = Join-Way $real $Texts[$i]
            $stream = [IO.FileStream]::new($path, 'Open', 'Read', 'Read')
            try {
                Assert-Place $stream $path
                if ($stream.Length -eq $Texts[$i + 1]) {
                    $found = Get-Sum $stream $stream.Length
                    $stream.Position = 0
                    $stream.CopyTo($packed)
                    $sum = $found
                }
            }
            finally { $stream.Dispose() }
        }
        catch { Write-Debug "$_ It is left to the host." }
        $sum
    }
    $packed.Dispose()
    [Convert]::ToBase64String($content.ToArray())
}
