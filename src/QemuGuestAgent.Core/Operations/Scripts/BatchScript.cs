using System.Text;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations.Scripts;

/// <summary>Runs a batch script in a Windows guest: cmd.exe takes one from a file only, which is made for it and removed afterwards.</summary>
public static class BatchScript
{
    private const int Utf16 = 1200;
    private const int BigEndianUtf16 = 1201;
    private const int Utf32 = 12000;
    private const int BigEndianUtf32 = 12001;

    /// <summary>Runs a script to its end. If that is cancelled or times out, it is killed. No file is left.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="script">The script.</param>
    /// <param name="arguments">Its arguments, each in quotes for the script: <c>%~1</c> is the first without them.</param>
    /// <param name="input">Its standard input, or null.</param>
    /// <param name="encoding">The encoding of what it reads and writes: its code page is set for it.</param>
    /// <param name="call">Time limit (zero for none) and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="GuestAgentException">
    /// BatchArgumentInvalid, BatchEncodingInvalid, those of files and of running a program: ProcessNotStarted where there is no cmd.exe.
    /// </exception>
    public static async Task<GuestProcessResult> RunAsync(
        GuestAgentSession session, string script, IReadOnlyList<string> arguments, byte[]? input, Encoding encoding,
        CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var time = new OperationTime(session.Clock, call);
        var launcher = Launcher(arguments, encoding);
        var folder = await FindFolderAsync(session, time, cancellationToken).ConfigureAwait(false);
        var name = $@"{folder}\qemu-guest-agent-{Guid.NewGuid():N}";
        var (launcherPath, scriptPath) = ($"{name}.cmd", $"{name}-script.cmd");
        try
        {
            await WriteAsync(scriptPath, script).ConfigureAwait(false);
            await WriteAsync(launcherPath, launcher).ConfigureAwait(false);
            var start = new GuestProcessStart("cmd.exe")
            {
                Arguments = ["/d", "/v:off", "/c", launcherPath],
                Input = input,
                Encoding = encoding,
            };
            return await GuestProcess.RunAsync(session, start, call: time.Rest(), cancellationToken: cancellationToken)
                .ConfigureAwait(false);
        }
        finally
        {
            await session.TryRunToolAsync(new GuestExecution("cmd.exe", "/d", "/c", "del", "/f", "/q", launcherPath, scriptPath)).ConfigureAwait(false);
        }

        async Task WriteAsync(string path, string text)
        {
            var bytes = encoding.GetBytes(text.Replace("\r\n", "\n").Replace("\n", "\r\n"));
            await using var file = await GuestFile.OpenAsync(session, path, "w", time, cancellationToken).ConfigureAwait(false);
            await file.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
            await file.CompleteAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    // In a file, where nothing but '%' is read inside of quotes. On cmd's own command line it would be, and written to the guest's log.
    private static string Launcher(IReadOnlyList<string> arguments, Encoding encoding)
    {
        if (encoding.CodePage is Utf16 or BigEndianUtf16 or Utf32 or BigEndianUtf32)
        {
            throw ErrorCatalogue.BatchEncodingInvalid.With(encoding.WebName);
        }

        if (arguments.FirstOrDefault(argument => argument.IndexOfAny(['"', '\r', '\n', '\0']) >= 0) is { } wrong)
        {
            throw ErrorCatalogue.BatchArgumentInvalid.With(wrong);
        }

        var quoted = string.Concat(arguments.Select(argument => $" \"{argument.Replace("%", "%%")}\""));
        return $"@chcp {encoding.CodePage} >nul\n@\"%~dpn0-script.cmd\"{quoted}\n";
    }

    // Its path has no blanks, which cmd's command line would need quotes for; none but administrators read what is new there.
    private static async Task<string> FindFolderAsync(
        GuestAgentSession session, OperationTime time, CancellationToken cancellationToken)
    {
        // With /u what cmd itself prints is UTF-16, whatever the code page.
        var end = await session.RunToolAsync(
            new GuestExecution("cmd.exe", "/d", "/u", "/c", "echo", "%SystemRoot%"), time, cancellationToken).ConfigureAwait(false);
        var root = Encoding.Unicode.GetString(end.Output).Trim();
        return $@"{(GuestPath.Windows.IsRooted(root) ? root : @"C:\Windows")}\Temp";
    }
}
