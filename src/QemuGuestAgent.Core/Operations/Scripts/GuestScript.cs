using System.Text;
using System.Text.Json;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations.Scripts;

/// <summary>
/// Scripts for a guest. The script, its arguments and its input all go by standard input: what is in an argument of a program is
/// written to the guest's log.
/// </summary>
public static class GuestScript
{
    // Three kinds of lines come first: how many arguments, the script, each argument. A shell takes no byte more than the line it
    // reads, so that the rest is the script's own. The dot keeps the line ends before it.
    private const string ReadingBootstrap = """
        IFS= read -r n; IFS= read -r s
        while [ "$n" -gt 0 ]; do
          IFS= read -r a; a=$(printf '%b.' "$a"); set -- "$@" "${a%.}"; n=$((n - 1))
        done
        s=$(printf '%b.' "$s")

        """;

    private const string ShellBootstrap = ReadingBootstrap + """
        eval "unset n s a
        ${s%.}"
        """;

    // Any interpreter reads a file: the script is one without a name. The interpreter comes first among the arguments.
    private const string ShebangBootstrap = ReadingBootstrap + """
        exec "$@" 3<<END
        ${s%.}
        END
        """;

    private const string PythonBootstrap = """
        import sys, json
        def line(): return json.loads(sys.stdin.buffer.readline())
        count = line(); script = line(); sys.argv[1:] = [line() for _ in range(count)]
        exec(compile(script, '<script>', 'exec'), {'__name__': '__main__'})
        """;

    /// <summary>The interpreter of a script that names none, by the guest's operating system.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="isPowerShell">Whether it is a script for a PowerShell.</param>
    /// <param name="call">Time limit and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async Task<GuestInterpreter> ChooseInterpreterAsync(
        GuestAgentSession session, bool isPowerShell, CallOptions? call = null, CancellationToken cancellationToken = default) =>
        (await GuestPlatform.FindAsync(session, new OperationTime(session.Clock, call), cancellationToken).ConfigureAwait(false))
            .DefaultInterpreter(isPowerShell);

    /// <summary>The interpreter that a script's own first line names, where the guest is one whose kernel reads such lines; otherwise null.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="script">The script.</param>
    /// <param name="call">Time limit and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async Task<Shebang?> FindShebangAsync(
        GuestAgentSession session, string script, CallOptions? call = null, CancellationToken cancellationToken = default) =>
        Shebang.Of(script) is { } shebang
        && (await GuestPlatform.FindAsync(session, new OperationTime(session.Clock, call), cancellationToken).ConfigureAwait(false))
            .ReadsShebangs
            ? shebang
            : null;

    /// <summary>The program that runs a script by the interpreter that its first line names.</summary>
    /// <inheritdoc cref="Prepare(GuestInterpreter, string, IReadOnlyList{string}, byte[])"/>
    public static GuestProcessStart Prepare(Shebang shebang, string script, IReadOnlyList<string> arguments, byte[]? input)
    {
        string[] interpreter = shebang.Argument is { } argument ? [shebang.Program, argument] : [shebang.Program];
        return Prepare(GuestInterpreter.Sh, script, [.. interpreter, "/dev/fd/3", .. arguments], input) with
        {
            Arguments = ["-c", ShebangBootstrap, "script"],
        };
    }

    /// <summary>The program that runs a script of another interpreter than a PowerShell, or <see cref="BatchScript"/>'s.</summary>
    /// <param name="interpreter">Sh, Bash or Python.</param>
    /// <param name="script">The script.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="input">Its standard input, or null.</param>
    /// <exception cref="GuestAgentException">ArgumentTextInvalid: a zero.</exception>
    public static GuestProcessStart Prepare(
        GuestInterpreter interpreter, string script, IReadOnlyList<string> arguments, byte[]? input)
    {
        if (script.Contains('\0') || arguments.Any(argument => argument.Contains('\0')))
        {
            throw ErrorCatalogue.ArgumentTextInvalid.WithTarget("script", "'script'", "0000");
        }

        // A shell takes a carriage return for part of the last word.
        var isPython = interpreter == GuestInterpreter.Python;
        script = isPython ? script : script.Replace("\r\n", "\n");
        var lines = new[] { script }.Concat(arguments)
            .Select(text => isPython ? JsonSerializer.Serialize(text) : ShellLine(text));
        var head = Encoding.UTF8.GetBytes($"{arguments.Count}\n{string.Concat(lines.Select(line => line + "\n"))}");
        return new GuestProcessStart(interpreter switch
        {
            GuestInterpreter.Sh => "/bin/sh",
            GuestInterpreter.Bash => "bash",
            _ => "python3",
        })
        {
            Arguments = isPython ? ["-c", PythonBootstrap] : ["-c", ShellBootstrap, "script"],
            Input = [.. head, .. input ?? []],
        };
    }

    // For printf %b.
    private static string ShellLine(string text) => text.Replace("\\", "\\\\").Replace("\n", "\\n");
}
