# Becomes a program as far as one can: it has this input and output, and its exit code is the last word. The texts come as a line of
# base64; no byte more is read, for the rest of the input is the program's. Where it cannot be started, the token stands at the end of
# the errors.
$in = [Console]::OpenStandardInput()
$line = [Text.Encoding]::ASCII.GetString([byte[]] @(while (($byte = $in.ReadByte()) -gt 10) { $byte }))
$token, $texts = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($line)).Split([char] 0)
try { $process = [Diagnostics.Process]::Start((New-Start $texts)) }
catch {
    $failure = [Text.Encoding]::UTF8.GetBytes($_.Exception.GetBaseException().Message + $token)
    [Console]::OpenStandardError().Write($failure, 0, $failure.Length)
    exit 1
}
$process.WaitForExit()
exit $process.ExitCode
