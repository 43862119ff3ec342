using System.Globalization;
using System.Text;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>Guests with a POSIX shell, as Linux and BSD have it.</summary>
internal sealed class PosixPlatform : GuestPlatform
{
    private const string Home = "HOME=";

    private volatile bool _isEnvironmentKnown;
    private IReadOnlyList<string>? _completeEnvironment;

    /// <inheritdoc/>
    public override GuestPath Paths => GuestPath.Posix;

    /// <summary>The shell becomes the program, so that the agent has it.</summary>
    public override bool FollowsLaunched => false;

    /// <inheritdoc/>
    public override bool ReadsShebangs => true;

    /// <inheritdoc/>
    public override bool HasTerminals => true;

    /// <summary>QEMU's agent sets its umask to zero.</summary>
    public override bool OpensNewFilesToAll => true;

    /// <inheritdoc/>
    public override TimeSpan? FreezeLimit => null;

    /// <inheritdoc/>
    public override GuestInterpreter DefaultInterpreter(bool isPowerShell) => isPowerShell ? GuestInterpreter.PowerShell : GuestInterpreter.Sh;

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<string>?> FindEnvironmentAsync(
        GuestAgentSession session, GuestProcessStart start, OperationTime time, CancellationToken cancellationToken)
    {
        if (start.Environment is { } whole && start.ReplacesEnvironment)
        {
            return Merge([], whole);
        }

        var complete = await FindCompleteEnvironmentAsync(session, time, cancellationToken).ConfigureAwait(false);
        return start.Environment is not { } changes ? complete
            : Merge(complete ?? await GetEnvironmentAsync(session, time, cancellationToken).ConfigureAwait(false), changes);
    }

    /// <inheritdoc/>
    public override Task<Encoding> FindEncodingAsync(GuestAgentSession session, OperationTime time, CancellationToken cancellationToken) =>
        Task.FromResult(GuestText.Utf8);

    /// <inheritdoc/>
    public override bool NeedsLauncher(GuestProcessStart start) =>
        start.WorkingDirectory is not null || start.UserName is not null || start.OutputPath is not null || start.ErrorPath is not null;

    /// <inheritdoc/>
    public override GuestExecution Launch(GuestExecution execution, GuestProcessStart start, string token, GuestAgentEndpoint endpoint)
    {
        foreach (var path in new[] { start.OutputPath, start.ErrorPath }.OfType<string>().Where(path => !Paths.IsRooted(path)))
        {
            throw ErrorCatalogue.GuestPathNotRooted.With(path, endpoint);
        }

        // The files are the user's, and a user or folder that is not there is reported where errors do not go into a file.
        execution = start.OutputPath is null && start.ErrorPath is null ? execution
            : LaunchScripts.IntoFiles(execution, start.OutputPath ?? "", start.ErrorPath ?? "", token);
        execution = start.WorkingDirectory is { } folder ? LaunchScripts.InFolder(execution, folder, token) : execution;
        return start.UserName is { } user ? LaunchScripts.AsUser(execution, user, token) : execution;
    }

    /// <inheritdoc/>
    public override Task<GuestProcessResult> FollowAsync(
        GuestAgentSession session, GuestProcessStart start, HostWatch watch, Func<GuestOutputKind, byte[], Task> take, bool keepsOnTimeOut,
        OperationTime time, CancellationToken cancellationToken) =>
        new FollowedProcess(session, start, watch, take, time).RunAsync(keepsOnTimeOut, cancellationToken);

    /// <inheritdoc/>
    public override InteractiveChannel CreateInteractive(
        GuestAgentSession session, GuestExecution program, string? userName, HostWatch watch) =>
        new PosixInteractive(
            session, watch, [InteractiveScript.Input, InteractiveScript.Pipe],
            files => InteractiveScript.Prepare(files, userName, watch, program));

    /// <inheritdoc/>
    public override async Task<string?> KillTreeAsync(
        GuestAgentSession session, long processId, OperationTime time, CancellationToken cancellationToken)
    {
        var id = processId.ToString(CultureInfo.InvariantCulture);
        try
        {
            var end = await session.RunToolAsync(KillScript.Of(id), time, cancellationToken).ConfigureAwait(false);
            if (end.ExitCode == 0)
            {
                return null;
            }

            if (end.ExitCode == KillScript.GoneExitCode)
            {
                return "it has already ended; a process that it left behind holds its output.";
            }
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.ProcessNotStarted))
        {
            // No shell.
        }

        return await KillByAsync(session, new GuestExecution("kill", "-KILL", id), time, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override Task<(GuestFileTools? Tools, string? MissingReason)> FindFileToolsAsync(
        GuestAgentSession session, OperationTime time, CancellationToken cancellationToken) =>
        PosixFileTools.FindAsync(session, time, cancellationToken);

    /// <summary>The environment with changes: a null unsets.</summary>
    internal static IReadOnlyList<string> Merge(IEnumerable<string> current, IReadOnlyDictionary<string, string?> changes) =>
    [
        .. current.Where(variable => !changes.ContainsKey(variable.Substring(0, variable.IndexOf('=')))),
        .. changes.Where(change => change.Value is not null).Select(change => $"{change.Key}={change.Value}"),
    ];

    // systemd starts the agent without HOME. It is looked up once for each agent; null where nothing is missing.
    private async Task<IReadOnlyList<string>?> FindCompleteEnvironmentAsync(
        GuestAgentSession session, OperationTime time, CancellationToken cancellationToken)
    {
        if (!_isEnvironmentKnown)
        {
            try
            {
                var own = await GetEnvironmentAsync(session, time, cancellationToken).ConfigureAwait(false);
                _completeEnvironment = own.Any(variable => variable.StartsWith(Home, StringComparison.Ordinal)) ? null
                    : [.. own, Home + await FindHomeAsync(session, time, cancellationToken).ConfigureAwait(false)];
            }
            catch (GuestAgentException e) when (e.Is(ErrorCatalogue.EnvironmentUnknown) || e.Is(ErrorCatalogue.ProcessNotStarted))
            {
                // It has no such tools: programs run as the agent starts them.
            }

            _isEnvironmentKnown = true;
        }

        return _completeEnvironment;
    }

    private static async Task<IReadOnlyList<string>> GetEnvironmentAsync(
        GuestAgentSession session, OperationTime time, CancellationToken cancellationToken)
    {
        var output = await ReadEnvironmentByAsync(
            session, new GuestExecution("env", "-0"), time, cancellationToken).ConfigureAwait(false);
        return [.. Encoding.UTF8.GetString(output).Split('\0').Where(variable => variable.IndexOf('=') > 0)];
    }

    private static async Task<string> FindHomeAsync(GuestAgentSession session, OperationTime time, CancellationToken cancellationToken) =>
        Encoding.UTF8.GetString(await ReadEnvironmentByAsync(
            session, new GuestExecution("/bin/sh", "-c", """eval "printf %s ~$(id -un)" """), time, cancellationToken).ConfigureAwait(false));

    private static async Task<byte[]> ReadEnvironmentByAsync(
        GuestAgentSession session, GuestExecution tool, OperationTime time, CancellationToken cancellationToken)
    {
        var result = await session.RunToolAsync(tool, time, cancellationToken).ConfigureAwait(false);
        return result.ExitCode == 0
            ? result.Output
            : throw ErrorCatalogue.EnvironmentUnknown.With(session.Endpoint, tool.Path, Encoding.UTF8.GetString(result.Errors));
    }
}
