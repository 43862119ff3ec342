# Begins what serves the host: opens the pipe, whose name comes by standard input, and runs what comes through it first. (Arguments are
# bounded and logged. And input that is not read would stop the agent, which waits for room in its pipe: what comes there must be short.)
$link = New-Link (New-Pipe ([Console]::In.ReadLine()))
if (-not (Test-Opened $link 60)) { exit 1 }
while (-not ($first = @(Receive-First $link)) -and -not $link.IsOver) { }
if ($first) {
    $texts = ConvertFrom-Content $first[0].Content
    & ([scriptblock]::Create($texts[1])) $link ([int] $texts[0]) $texts[2] @($first | Select-Object -Skip 1)
}
