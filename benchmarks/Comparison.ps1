# Measures two ways to do the same in turns, and writes a row of the table: for the scripts beside it.

function Get-Median([double[]] $Values) { ($Values | Sort-Object)[[int][math]::Floor($Values.Count / 2)] }

function Format-Time([double] $Milliseconds) { if ($Milliseconds -lt 10) { '{0:0.0} µs' -f (1000 * $Milliseconds) } else { '{0:0.0} ms' -f $Milliseconds } }

# Each after a garbage collection, so that it does not pay for what the other has left.
function Measure-Alone([scriptblock] $Script) {
    [GC]::Collect()
    (Measure-Command $Script).TotalMilliseconds
}

# Both in turns, so that whatever else the machine does falls on both.
function Write-Comparison([string] $Figure, [string] $Aim, [int] $Times, [int] $Rounds, [scriptblock] $Baseline, [scriptblock] $Ours, [switch] $Speedup) {
    # What runs for the first times is compiled meanwhile, and again once it is known to run often.
    $start = [Diagnostics.Stopwatch]::StartNew()
    do { $null = (Measure-Command $Baseline), (Measure-Command $Ours) } while ($start.Elapsed.TotalSeconds -lt 3)
    $plain = [Collections.Generic.List[double]]::new()
    $own = [Collections.Generic.List[double]]::new()
    foreach ($round in 1..$Rounds) {
        $plain.Add((Measure-Alone $Baseline) / $Times)
        $own.Add((Measure-Alone $Ours) / $Times)
    }
    $ratios = @(foreach ($i in 0..($Rounds - 1)) { if ($Speedup) { $plain[$i] / $own[$i] } else { $own[$i] / $plain[$i] } }) | Sort-Object
    $quarter = [int][math]::Floor($Rounds / 4)
    Write-Output ('| {0} | {1} | {2} | {3:0.00} ({4:0.00} to {5:0.00}) | {6} |' -f $Figure, (Format-Time (Get-Median $plain)), (Format-Time (Get-Median $own)),
        (Get-Median $ratios), $ratios[$quarter], $ratios[-1 - $quarter], $Aim)
}
