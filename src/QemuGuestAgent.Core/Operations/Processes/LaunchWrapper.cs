using System.Text;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations.Processes;

/// <summary>
/// Makes of a program what guest-exec can start: the agent knows no working directory, and replaces the environment or leaves it.
/// The wrapper is a shell that becomes the program (in Windows, one that runs it); it hands the arguments on as they are, and tells
/// by a token if it could not.
/// </summary>
internal sealed class LaunchWrapper
{
    // $0 is the token. The trap is gone with the shell once the program has taken its place. Without execfail bash leaves without
    // its trap; other shells do not know the option.
    private const string Head = """
        trap 'printf %s "$0" >&2' EXIT
        shopt -s execfail 2>/dev/null

        """;

    // $1 is the folder to run in.
    private const string ChangeFolder = Head + """cd -- "$1" && shift && exec "$@" """;

    // $1 is the folder of the output's files, $2 the agent's handles of them. Where it cannot be entered, the agent takes the token.
    private const string Redirect = Head + OutputScripts.Lines + OutputScripts.EnterAsProgram + """
        exec >>out 2>>err && cd "$OLDPWD" && unset OLDPWD && shift 2 && exec "$@"
        """;

    private readonly byte[] _token;

    private LaunchWrapper(string token) => _token = Encoding.ASCII.GetBytes(token);

    /// <summary>What to start for a program, and its wrapper where there is one.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="start">The program.</param>
    /// <param name="files">Where its output goes, or null where the agent takes it.</param>
    /// <param name="time">The operation's time.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<(GuestExecution Execution, LaunchWrapper? Wrapper)> PrepareAsync(
        GuestAgentSession session, GuestProcessStart start, OutputFiles? files, OperationTime time,
        CancellationToken cancellationToken)
    {
        var execution = new GuestExecution(start.FilePath, [.. start.Arguments]) { Input = start.Input };
        if (start.Environment is { } changes)
        {
            var environment = await GetEnvironmentAsync(session, start, changes, time, cancellationToken).ConfigureAwait(false);
            execution = execution with { Environment = environment };
        }

        var token = Guid.NewGuid().ToString("N");
        if (start.WorkingDirectory is { } folder)
        {
            var isWindows = await GuestTools.IsWindowsAsync(session, time, cancellationToken).ConfigureAwait(false);
            execution = isWindows
                ? WindowsLauncher.Wrap(execution, token, folder)
                : Wrap(ChangeFolder, token, execution, folder);
        }

        if (files is not null)
        {
            execution = Wrap(Redirect, token, execution, files.Folder, files.Handles);
        }

        return (execution, start.WorkingDirectory is null && files is null ? null : new LaunchWrapper(token));
    }

    /// <summary>Why the program could not be started, or null where it was.</summary>
    /// <param name="errors">What came from standard error.</param>
    public string? FindFailure(byte[] errors) =>
        errors.Length >= _token.Length && errors.Skip(errors.Length - _token.Length).SequenceEqual(_token)
            ? Encoding.UTF8.GetString(errors, 0, errors.Length - _token.Length).Trim()
            : null;

    /// <summary>The environment with changes: a null unsets. Windows does not tell names apart by case.</summary>
    internal static IReadOnlyList<string> Merge(
        IEnumerable<string> current, IReadOnlyDictionary<string, string?> changes, bool isWindows)
    {
        var names = new HashSet<string>(changes.Keys, isWindows ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
        return
        [
            .. current.Where(variable => !names.Contains(variable.Substring(0, variable.IndexOf('=')))),
            .. changes.Where(change => change.Value is not null).Select(change => $"{change.Key}={change.Value}"),
        ];
    }

    private static GuestExecution Wrap(string script, string token, GuestExecution execution, params string[] arguments) =>
        execution with { Path = "/bin/sh", Arguments = ["-c", script, token, .. arguments, execution.Path, .. execution.Arguments] };

    private static async Task<IReadOnlyList<string>> GetEnvironmentAsync(
        GuestAgentSession session, GuestProcessStart start, IReadOnlyDictionary<string, string?> changes, OperationTime time,
        CancellationToken cancellationToken)
    {
        if (changes.Keys.FirstOrDefault(name => name.Length == 0 || name.Contains('=')) is { } wrong)
        {
            throw ErrorCatalogue.VariableNameInvalid.With(wrong);
        }

        if (start.ReplacesEnvironment)
        {
            return Merge([], changes, isWindows: false);
        }

        var isWindows = await GuestTools.IsWindowsAsync(session, time, cancellationToken).ConfigureAwait(false);
        var current = await GuestTools.GetEnvironmentAsync(session, isWindows, time, cancellationToken).ConfigureAwait(false);
        return Merge(current, changes, isWindows);
    }
}
