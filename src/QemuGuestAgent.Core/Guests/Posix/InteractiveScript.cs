using System.Globalization;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Guests.Processes;

namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>
/// The guest's side of an interactive process: a shell that starts the program with a named pipe as its input and a file as its
/// output, and tells how it ended.
/// </summary>
internal static class InteractiveScript
{
    /// <summary>The named pipe of the program's input.</summary>
    public const string Input = "in";

    /// <summary>The named pipe of its output, on the way to the file.</summary>
    public const string Pipe = "pipe";

    // $1 is the folder, $2 the agent's handles, $3 how many seconds are between two looks; the rest is the program. What the agent
    // captures comes from this shell and cat alone: what the program leaves running would hold the agent's pipes, and hide the end. It
    // is cat that writes the file, for it tells of a full disk; PowerShell would go on, and without cat too. Once the program has
    // ended, who holds its pipe still is not waited for.
    private const string Script = OutputScripts.Lines + OutputScripts.EnterAsProgram + """
        pause=$3
        shift 3
        PATH=${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}
        [ -n "$HOME" ] || eval "HOME=~$(id -un)"
        export PATH HOME
        ( cd /; cd 2>/dev/null; exec "$@" ) <in >pipe 2>>err &
        child=$!
        cat <pipe >>out &
        writer=$!
        { while kill -0 "$child"; do sleep "$pause" || exit; done; kill "$writer"; } </dev/null >/dev/null 2>&1 &
        guard=$!
        wait "$writer" || { kill -0 "$child" 2>/dev/null && tree=$child && kill_tree; }
        wait "$child"
        code=$?
        kill "$guard"
        cat err >&2
        remove
        exit "$code"
        """;

    private const string AsUser = """cd 2>/dev/null || cd /; exec "$@" """;

    /// <summary>What to start for a program.</summary>
    /// <param name="files">Where its output goes.</param>
    /// <param name="userName">The user in the guest to run it as, or null for the agent's user.</param>
    /// <param name="watch">How often the guest looks.</param>
    /// <param name="program">The program.</param>
    public static GuestExecution Prepare(OutputFiles files, string? userName, HostWatch watch, GuestExecution program)
    {
        string[] user = userName is null ? [] : ["su", "-s", "/bin/sh", "-c", AsUser, "--", userName, "sh"];
        return new GuestExecution(
            "/bin/sh",
            [
                "-c", Script, "sh", files.Folder, files.Handles, watch.Look.TotalSeconds.ToString(CultureInfo.InvariantCulture),
                .. user, program.Path, .. program.Arguments,
            ]);
    }
}
