using System.Text;
using System.Text.RegularExpressions;
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
    // A shell begins its messages with its name, which is the token, and the line.
    private static readonly Regex OwnName = new("^[0-9a-f]{32}: ((line )?[0-9]+: )?", RegexOptions.CultureInvariant);

    // What PowerShell writes to a standard error that is no console.
    private static readonly Regex Clixml = new("#< CLIXML\\s*(<Objs .*?</Objs>)?", RegexOptions.CultureInvariant | RegexOptions.Singleline);

    private readonly byte[] _token;

    /// <summary>The wrapper of a program that was started with a token.</summary>
    public LaunchWrapper(string token)
    {
        Token = token;
        _token = Encoding.ASCII.GetBytes(token);
    }

    /// <summary>What stands in standard error, after the reason, where the program could not be started.</summary>
    public string Token { get; }

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
        var platform = await GuestPlatform.FindAsync(session, time, cancellationToken).ConfigureAwait(false);
        if (start.Environment?.Keys.FirstOrDefault(name => name.Length == 0 || name.Contains('=')) is { } wrong)
        {
            throw ErrorCatalogue.VariableNameInvalid.With(wrong);
        }

        execution = execution with
        {
            Environment = await platform.FindEnvironmentAsync(session, start, time, cancellationToken).ConfigureAwait(false),
        };
        var token = Guid.NewGuid().ToString("N");
        var isWrapped = platform.NeedsLauncher(start);
        if (isWrapped)
        {
            execution = platform.Launch(execution, start, token, session.Endpoint);
        }

        if (redirect is not null)
        {
            execution = redirect(execution, token);
        }

        return (execution, isWrapped || redirect is not null ? new LaunchWrapper(token) : null);
    }

    /// <summary>Why the program could not be started, or null where it was.</summary>
    /// <param name="errors">What came from standard error.</param>
    public string? FindFailure(byte[] errors)
    {
        // Nobody else knows the token. A PowerShell may write more at its end, and its progress before.
        var start = errors.AsSpan().LastIndexOf(_token);
        return start < 0 ? null
            : OwnName.Replace(Clixml.Replace(Encoding.UTF8.GetString(errors, 0, start), "").Trim(), "");
    }
}
