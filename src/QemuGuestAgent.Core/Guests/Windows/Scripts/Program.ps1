# How to start a program. The texts are the program, its arguments as one line, its folder or nothing, whether the variables that follow
# replace all others, and each variable: NAME=value, or NAME for none.
function New-Start([string[]] $Texts) {
    $start = New-Object Diagnostics.ProcessStartInfo $Texts[0], $Texts[1]
    $start.WorkingDirectory = $Texts[2]
    $start.UseShellExecute = $false
    if ($Texts[3] -eq 'replace') { $start.EnvironmentVariables.Clear() }
    for ($i = 4; $i -lt $Texts.Length; $i++) {
        $name, $value = $Texts[$i].Split([char[]] '=', 2)
        if ($null -eq $value) { $start.EnvironmentVariables.Remove($name) } else { $start.EnvironmentVariables[$name] = $value }
    }
    $start
}
