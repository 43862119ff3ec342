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
    private const string ChangeFolder = Head + """cd -- "$1" && shift && exec "$@" """;

    // $1 is the folder of the output's files, $2 the agent's handles of them. If it cannot be entered, the agent receives the token.
    private const string Redirect = Head + OutputScripts.Lines + OutputScripts.EnterAsProgram + """
        exec >>out 2>>err && cd "$OLDPWD" && unset OLDPWD && shift 2 && exec "$@"
        """;

    /// <summary>A program that runs in a folder.</summary>
    public static GuestExecution InFolder(GuestExecution execution, string folder, string token) =>
        Wrap(ChangeFolder, token, execution, folder);

    /// <summary>A program that writes to files.</summary>
    public static GuestExecution IntoFiles(GuestExecution execution, OutputFiles files, string token) =>
        Wrap(Redirect, token, execution, files.Folder, files.Handles);

    private static GuestExecution Wrap(string script, string token, GuestExecution execution, params string[] arguments) =>
        execution with { Path = "/bin/sh", Arguments = ["-c", script, token, .. arguments, execution.Path, .. execution.Arguments] };
}
