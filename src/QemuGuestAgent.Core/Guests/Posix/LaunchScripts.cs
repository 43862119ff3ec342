using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>
/// Shells that become a program, in a folder or with its output in files. They hand the arguments on as they are, and tell by a token,
/// which is $0, that they could not.
/// </summary>
internal static class LaunchScripts
{
    // The trap is gone with the shell once the program has taken its place. Without execfail bash leaves without its trap; other shells
    // do not know the option.
    private const string Head = """
        trap 'printf %s "$0" >&2' EXIT
        shopt -s execfail 2>/dev/null

        """;

    // $1 is the folder to run in.
    private const string ChangeFolder = Head + """cd -- "$1" && unset OLDPWD && shift && exec "$@" """;

    // $1 is the folder of the output's files, $2 the agent's handles of them. If it cannot be entered, the agent receives the token.
    private const string Redirect = Head + OutputScripts.Lines + OutputScripts.EnterAsProgram + """
        exec >>out 2>>err && cd "$OLDPWD" && unset OLDPWD && shift 2 && exec "$@"
        """;

    // $1 is what the user's shell reads, $3 the user. su's exit code does not distinguish an unknown user from a failing program.
    private const string BecomeUser = Head + """
        [ "$(id -un -- "$3")" = "$3" ] || { echo "no such user: $3" >&2; exit 1; }
        exec su -s /bin/sh -c "$@"
        """;

    private const string InHome = Head + """
        cd 2>/dev/null || cd /
        unset OLDPWD
        exec "$@"
        """;

    // $1 and $2 are the files: only the user can open them, and what is there already, a link of another user too, is not written to.
    // A missing program is reported before the output goes there; after that the token must not. The agent's umask is the program's.
    private const string ToNewFiles = Head + """
        command -v -- "$3" >/dev/null || { echo "$3: not found" >&2; exit 127; }
        set -- "$(umask)" "$@"
        umask 077
        set -C
        case $2 in ?*) exec >"$2" ;; esac
        case $3 in ?*) exec 2>"$3" ;; esac
        umask "$1"
        shift 3
        trap - EXIT
        exec /bin/sh -c 'exec "$@"' sh "$@"
        """;

    /// <summary>A program that runs in a folder.</summary>
    public static GuestExecution InFolder(GuestExecution execution, string folder, string token) =>
        Wrap(ChangeFolder, token, execution, folder);

    /// <summary>A program that another user runs, from that user's home.</summary>
    public static GuestExecution AsUser(GuestExecution execution, string userName, string token) => execution with
    {
        Path = "/bin/sh",
        Arguments = ["-c", BecomeUser, token, InHome, "--", userName, token, execution.Path, .. execution.Arguments],
    };

    /// <summary>A program whose output goes to new files; an empty path is none.</summary>
    public static GuestExecution IntoFiles(GuestExecution execution, string outputPath, string errorPath, string token) =>
        Wrap(ToNewFiles, token, execution, outputPath, errorPath);

    /// <summary>A program that writes to files which are read while it runs.</summary>
    public static GuestExecution IntoFiles(GuestExecution execution, OutputFiles files, string token) =>
        Wrap(Redirect, token, execution, files.Folder, files.Handles);

    private static GuestExecution Wrap(string script, string token, GuestExecution execution, params string[] arguments) =>
        execution with { Path = "/bin/sh", Arguments = ["-c", script, token, .. arguments, execution.Path, .. execution.Arguments] };
}
