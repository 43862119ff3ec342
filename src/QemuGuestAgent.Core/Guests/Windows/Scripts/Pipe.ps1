# Named pipes that the agent opens. What goes through them are frames: a letter, the length of the content in four bytes, the content.

# A pipe that SYSTEM, administrators and this user can open, on this computer only, and only once. If others have made one of that
# name, this fails: a pipe with one instance must be the first.
function New-Pipe([string] $Name) {
    $security = New-Object IO.Pipes.PipeSecurity
    foreach ($sid in @('S-1-5-18', 'S-1-5-32-544', [Security.Principal.WindowsIdentity]::GetCurrent().User.Value)) {
        $who = New-Object Security.Principal.SecurityIdentifier $sid
        $security.AddAccessRule((New-Object IO.Pipes.PipeAccessRule $who, 'FullControl', 'Allow'))
    }
    $network = New-Object Security.Principal.SecurityIdentifier 'S-1-5-2'
    $security.AddAccessRule((New-Object IO.Pipes.PipeAccessRule $network, 'FullControl', 'Deny'))
    $room = 262144
    if ($PSVersionTable.PSEdition -eq 'Core') {
        [IO.Pipes.NamedPipeServerStreamAcl]::Create($Name, 'InOut', 1, 'Byte', 'Asynchronous', $room, $room, $security)
    }
    else {
        New-Object IO.Pipes.NamedPipeServerStream $Name, 'InOut', 1, 'Byte', 'Asynchronous', $room, $room, $security
    }
}

# What is known of a pipe that frames come and go by.
function New-Link($Pipe) {
    @{
        Pipe = $Pipe; Buffer = New-Object byte[] 65536; Held = [byte[]] @()
        Reading = $null; Writing = $null; Frames = New-Object Collections.Queue; IsOver = $false
    }
}

# Whether the agent has opened the pipe in time.
function Test-Opened($Link, [int] $Seconds) {
    $opening = $Link.Pipe.BeginWaitForConnection($null, $null)
    if (-not $opening.AsyncWaitHandle.WaitOne($Seconds * 1000)) { return $false }
    $Link.Pipe.EndWaitForConnection($opening)
    $true
}

function Add-Frame($Link, [char] $Kind, [byte[]] $Content) {
    $frame = New-Object byte[] (5 + $Content.Length)
    $frame[0] = [byte] $Kind
    [BitConverter]::GetBytes($Content.Length).CopyTo($frame, 1)
    $Content.CopyTo($frame, 5)
    $Link.Frames.Enqueue($frame)
}

# Begins to read and to write, where that is not under way; what to wait for.
function Start-Transfer($Link) {
    try {
        if (-not $Link.Reading) { $Link.Reading = $Link.Pipe.BeginRead($Link.Buffer, 0, $Link.Buffer.Length, $null, $null) }
        if (-not $Link.Writing -and $Link.Frames.Count) {
            $frame = $Link.Frames.Dequeue()
            $Link.Writing = $Link.Pipe.BeginWrite($frame, 0, $frame.Length, $null, $null)
        }
    }
    catch { $Link.IsOver = $true; return }
    $Link.Reading.AsyncWaitHandle
    if ($Link.Writing) { $Link.Writing.AsyncWaitHandle }
}

# Ends what is done of reading and writing; the frames that have come.
function Receive-Frame($Link) {
    try {
        if ($Link.Writing -and $Link.Writing.IsCompleted) {
            $Link.Pipe.EndWrite($Link.Writing)
            $Link.Writing = $null
        }
        if (-not $Link.Reading.IsCompleted) { return }
        $count = $Link.Pipe.EndRead($Link.Reading)
        $Link.Reading = $null
    }
    catch { $count = 0 }
    if ($count -eq 0) { $Link.IsOver = $true; return }
    $all = New-Object byte[] ($Link.Held.Length + $count)
    $Link.Held.CopyTo($all, 0)
    [Array]::Copy($Link.Buffer, 0, $all, $Link.Held.Length, $count)
    $at = 0
    while ($all.Length - $at -ge 5) {
        $length = [BitConverter]::ToInt32($all, $at + 1)
        if ($all.Length - $at - 5 -lt $length) { break }
        $content = New-Object byte[] $length
        [Array]::Copy($all, $at + 5, $content, 0, $length)
        @{ Kind = [char] $all[$at]; Content = $content }
        $at += 5 + $length
    }
    $Link.Held = New-Object byte[] ($all.Length - $at)
    [Array]::Copy($all, $at, $Link.Held, 0, $Link.Held.Length)
}

# Waits for frames, but not long.
function Receive-First($Link) {
    $null = [Threading.WaitHandle]::WaitAny([Threading.WaitHandle[]] @(Start-Transfer $Link), 1000)
    if (-not $Link.IsOver) { Receive-Frame $Link }
}

# Texts are parted by zeros, which no argument and no path can have.
function ConvertFrom-Content([byte[]] $Content) { , [Text.Encoding]::UTF8.GetString($Content).Split([char] 0) }

function ConvertTo-Content([string[]] $Texts) { , [Text.Encoding]::UTF8.GetBytes($Texts -join [char] 0) }

# Ends a question with a code that the host knows, and a message.
function Stop-Question([string] $Code, [string] $Message) {
    throw (New-Object Management.Automation.ErrorRecord (New-Object Exception $Message), "Question$Code", 'NotSpecified', $null)
}
