using System.Text;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Processes;

/// <summary>
/// Makes of a program what guest-exec can start: the agent knows no working directory, and replaces the environment or leaves it.
/// What is started instead of the program tells by a token if it could not start it.
/// </summary>
internal sealed class LaunchWrapper
{
    private readonly byte[] _token;

    private LaunchWrapper(string token) => _token = Encoding.ASCII.GetBytes(token);

    /// <summary>What to start for a program, and its wrapper where there is one.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="start">The program.</param>
    /// <param name="redirect">Sends its output elsewhere, by what is started and the token; null where the agent takes it.</param>
    /// <param name="time">The operation's time.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async Task<(GuestExecution Execution, LaunchWrapper? Wrapper)> PrepareAsync(
        GuestAgentSession session, GuestProcessStart start, Func<GuestExecution, string, GuestExecution>? redirect, OperationTime time,
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
            var platform = await GuestPlatform.FindAsync(session, time, cancellationToken).ConfigureAwait(false);
            execution = platform.RunInFolder(execution, folder, token);
        }

        if (redirect is not null)
        {
            execution = redirect(execution, token);
        }

        return (execution, start.WorkingDirectory is null && redirect is null ? null : new LaunchWrapper(token));
    }

    /// <summary>Why the program could not be started, or null where it was.</summary>
    /// <param name="errors">What came from standard error.</param>
    public string? FindFailure(byte[] errors) =>
        errors.Length >= _token.Length && errors.Skip(errors.Length - _token.Length).SequenceEqual(_token)
            ? Encoding.UTF8.GetString(errors, 0, errors.Length - _token.Length).Trim()
            : null;

    /// <summary>The environment with changes: a null unsets.</summary>
    internal static IReadOnlyList<string> Merge(
        IEnumerable<string> current, IReadOnlyDictionary<string, string?> changes, StringComparer names)
    {
        var changed = new HashSet<string>(changes.Keys, names);
        return
        [
            .. current.Where(variable => !changed.Contains(variable.Substring(0, variable.IndexOf('=')))),
            .. changes.Where(change => change.Value is not null).Select(change => $"{change.Key}={change.Value}"),
        ];
    }

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
            return Merge([], changes, StringComparer.Ordinal);
        }

        var platform = await GuestPlatform.FindAsync(session, time, cancellationToken).ConfigureAwait(false);
        var current = await platform.GetEnvironmentAsync(session, time, cancellationToken).ConfigureAwait(false);
        return Merge(current, changes, platform.VariableNames);
    }
}
