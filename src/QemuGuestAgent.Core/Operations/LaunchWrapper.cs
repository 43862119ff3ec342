using System.Text;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations;

/// <summary>
/// Makes of a program what guest-exec can start: the agent knows no working directory, and replaces the environment or leaves it. The
/// wrapper is a shell that becomes the program; it hands the arguments on as they are, and tells by its token that it could not.
/// </summary>
internal sealed class LaunchWrapper
{
    // $0 is the token, $1 the folder. The trap is gone with the shell once the program has taken its place. Without execfail bash leaves
    // without its trap; other shells do not know the option.
    private const string Script = """
        trap 'printf %s "$0" >&2' EXIT
        shopt -s execfail 2>/dev/null
        cd -- "$1" && shift && exec "$@"
        """;

    private readonly byte[] _token;

    private LaunchWrapper(string token) => _token = Encoding.ASCII.GetBytes(token);

    /// <summary>What to start for a program, and its wrapper where there is one.</summary>
    public static async Task<(GuestExecution Execution, LaunchWrapper? Wrapper)> PrepareAsync(
        GuestAgentSession session, GuestProcessStart start, OperationTime time, CancellationToken cancellationToken)
    {
        var execution = new GuestExecution(start.FilePath, [.. start.Arguments]) { Input = start.Input };
        if (start.Environment is null && start.WorkingDirectory is null)
        {
            return (execution, null);
        }

        var isWindows = await GuestTools.IsWindowsAsync(session, time, cancellationToken).ConfigureAwait(false);
        if (start.Environment is { } changes)
        {
            if (changes.Keys.FirstOrDefault(name => name.Length == 0 || name.Contains('=')) is { } wrong)
            {
                throw ErrorCatalogue.VariableNameInvalid.With(wrong, wrong);
            }

            var current = start.ReplacesEnvironment
                ? []
                : await GuestTools.GetEnvironmentAsync(session, isWindows, time, cancellationToken).ConfigureAwait(false);
            execution = execution with { Environment = Merge(current, changes, isWindows) };
        }

        if (start.WorkingDirectory is not { } folder)
        {
            return (execution, null);
        }

        if (isWindows)
        {
            throw ErrorCatalogue.NotInWindowsGuest.With("WorkingDirectory", "A working directory", session.Endpoint);
        }

        var token = NewToken();
        return (
            execution with { Path = "/bin/sh", Arguments = ["-c", Script, token, folder, execution.Path, .. execution.Arguments] },
            new LaunchWrapper(token));
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

    private static string NewToken() => Guid.NewGuid().ToString("N");
}
