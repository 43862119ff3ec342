# Starts a program, and carries its input and output through a pipe. From the host come i (input), c (the end of it), b (it is there),
# k (kill it) and l (let it go on alone: what it writes is dropped). To the host go s (started: the process's number), f (not started, and why), o and e (output and errors), r (the
# last input was taken) and x (the exit code). Without a word from the host, or its pipe, the program is killed.
function Invoke-Relay($Pipe, [int] $Patience, [string[]] $Program) {
    $link = New-Link $Pipe
    $process = $null
    try {
        if (-not (Test-Opened $link $Patience)) { return }

        # The host learns what a read of an empty pipe is answered with before it speaks.
        $heard = [Diagnostics.Stopwatch]::StartNew()
        while (-not ($first = @(Receive-First $link)) -and -not $link.IsOver -and $heard.Elapsed.TotalSeconds -lt $Patience) { }
        if (-not $first) { return }
        try {
            $start = New-Start $Program
            $start.CreateNoWindow = $true
            $start.RedirectStandardInput = $start.RedirectStandardOutput = $start.RedirectStandardError = $true
            $process = [Diagnostics.Process]::Start($start)
        }
        catch {
            Add-Frame $link f ([Text.Encoding]::UTF8.GetBytes($_.Exception.GetBaseException().Message))
            Send-Rest $link $Patience
            return
        }
        Add-Frame $link s ([BitConverter]::GetBytes([int] $process.Id))
        if (Join-Program $link $process $Patience $first) {
            Add-Frame $link x ([BitConverter]::GetBytes($process.ExitCode))
            Send-Rest $link $Patience
        }
    }
    finally {
        if ($process -and -not $process.HasExited) { Stop-Tree $process }
        $Pipe.Dispose()
    }
}

# Carries until the program has ended; whether it has, and not the host.
function Join-Program($Link, $Process, [int] $Patience, $First) {
    # What the program leaves behind may hold its output: once it has ended, who writes no more is not waited for.
    $quiet = 100
    $exit = New-Object Threading.ManualResetEvent $false
    $exit.SafeWaitHandle = New-Object Microsoft.Win32.SafeHandles.SafeWaitHandle $Process.Handle, $false
    $outputs = foreach ($kind in 'o', 'e') {
        $stream = if ($kind -eq 'o') { $Process.StandardOutput.BaseStream } else { $Process.StandardError.BaseStream }
        @{ Kind = $kind; Stream = $stream; Buffer = New-Object byte[] 65536; Reading = $null; IsOver = $false }
    }
    $in = @{ Stream = $Process.StandardInput.BaseStream; Chunks = New-Object Collections.Queue; Writing = $null; Ends = $false; IsOver = $false }
    $heard = [Diagnostics.Stopwatch]::StartNew()
    $frames = $First
    $isAlone = $false
    while ($true) {
        foreach ($frame in $frames) {
            $heard.Restart()
            switch -CaseSensitive ($frame.Kind) {
                'i' { $in.Chunks.Enqueue($frame.Content) }
                'c' { $in.Ends = $true }
                'k' { return $false }
                'l' { $isAlone = $true }
            }
        }
        if (-not $isAlone -and ($Link.IsOver -or $heard.Elapsed.TotalSeconds -ge $Patience)) { return $false }
        Step-Input $Link $in
        $handles = New-Object Collections.ArrayList
        if ($isAlone) { $Link.Frames.Clear(); $Link.Writing = $null } else { $handles.AddRange(@(Start-Transfer $Link)) }
        if ($in.Writing) { $null = $handles.Add($in.Writing.AsyncWaitHandle) }

        # A program that writes faster than the host reads is kept waiting.
        if (-not $Link.Writing) {
            foreach ($output in $outputs) {
                if (-not $output.Reading -and -not $output.IsOver) {
                    try { $output.Reading = $output.Stream.BeginRead($output.Buffer, 0, $output.Buffer.Length, $null, $null) }
                    catch { $output.IsOver = $true }
                }
                if ($output.Reading) { $null = $handles.Add($output.Reading.AsyncWaitHandle) }
            }
        }
        $hasExited = $exit.WaitOne(0)
        if ($hasExited -and -not $Link.Writing -and -not ($outputs | Where-Object { -not $_.IsOver })) { return $true }
        if (-not $hasExited) { $null = $handles.Add($exit) }
        $wait = if ($hasExited -and -not $Link.Writing) { $quiet } else { 1000 }
        $happened = [Threading.WaitHandle]::WaitAny([Threading.WaitHandle[]] $handles.ToArray(), $wait) -ne [Threading.WaitHandle]::WaitTimeout
        if (-not $happened -and $hasExited -and -not $Link.Writing) { return $true }
        $frames = if ($isAlone) { @() } else { @(Receive-Frame $Link) }
        foreach ($output in $outputs) {
            if ($output.Reading -and $output.Reading.IsCompleted) {
                try { $count = $output.Stream.EndRead($output.Reading) } catch { $count = 0 }
                $output.Reading = $null
                if ($count -eq 0) { $output.IsOver = $true; continue }
                $content = New-Object byte[] $count
                [Array]::Copy($output.Buffer, 0, $content, 0, $count)
                Add-Frame $Link $output.Kind $content
            }
        }
    }
}

# Input goes to the program as fast as it takes it. One that has closed its input takes the rest unread, as with any pipe.
function Step-Input($Link, $In) {
    if ($In.Writing -and $In.Writing.IsCompleted) {
        try {
            $In.Stream.EndWrite($In.Writing)
            $In.Stream.Flush()
        }
        catch { $In.IsOver = $true }
        $In.Writing = $null
        Add-Frame $Link r @()
    }
    while (-not $In.Writing -and $In.Chunks.Count) {
        $chunk = $In.Chunks.Dequeue()
        try { if (-not $In.IsOver) { $In.Writing = $In.Stream.BeginWrite($chunk, 0, $chunk.Length, $null, $null) } }
        catch { $In.IsOver = $true }
        if (-not $In.Writing) { Add-Frame $Link r @() }
    }
    if ($In.Ends -and -not $In.Writing -and -not $In.Chunks.Count) {
        $In.Ends = $false
        try { $In.Stream.Close() } catch { $In.IsOver = $true }
    }
}

# Until the host has it all, and closes.
function Send-Rest($Link, [int] $Patience) {
    $heard = [Diagnostics.Stopwatch]::StartNew()
    while (-not $Link.IsOver -and $heard.Elapsed.TotalSeconds -lt $Patience) {
        foreach ($frame in @(Receive-First $Link)) {
            $heard.Restart()
            if ($frame.Kind -eq 'k') { return }
        }
    }
}

function Stop-Tree($Process) {
    try {
        $tool = New-Object Diagnostics.ProcessStartInfo 'taskkill.exe', "/PID $($Process.Id) /T /F"
        $tool.UseShellExecute = $false
        $tool.CreateNoWindow = $true
        $null = [Diagnostics.Process]::Start($tool).WaitForExit(5000)
    }
    finally {
        # It alone, where there is no such tool.
        try { $Process.Kill() } catch [InvalidOperationException] { 'It has ended already.' | Out-Null }
    }
}
