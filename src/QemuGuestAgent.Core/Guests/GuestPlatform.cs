using System.Runtime.CompilerServices;
using System.Text;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Posix;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Guests.Windows;
using QemuGuestAgent.Core.Schema;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests;

/// <summary>
/// What differs between the systems of guests: how programs are started, followed, spoken with and killed there, and how files are
/// worked on. It is found out once for each agent.
/// </summary>
internal abstract class GuestPlatform
{
    // By what guest-info said at the last synchronisation: a channel that was opened again may lead to another guest.
    private static readonly ConditionalWeakTable<GuestAgentInfo, GuestPlatform> Known = new();

    /// <summary>How paths are written there.</summary>
    public abstract GuestPath Paths { get; }

    /// <summary>Whether a program that needs a launcher is rather followed to its end, where somebody waits for that.</summary>
    public abstract bool FollowsLaunched { get; }

    /// <summary>Whether the first line of a script can name its interpreter there: <c>#!/bin/bash</c>.</summary>
    public abstract bool ReadsShebangs { get; }

    /// <summary>Whether a shell there can have a terminal of its own: then that is a <see cref="PosixTerminal"/>.</summary>
    public abstract bool HasTerminals { get; }

    /// <summary>Whether everybody in the guest may read and write a new file of the agent's.</summary>
    public abstract bool OpensNewFilesToAll { get; }

    /// <summary>How long file systems can stay frozen there; null is without limit.</summary>
    public abstract TimeSpan? FreezeLimit { get; }

    /// <summary>Whether trimming file systems takes no account of the shortest range to trim.</summary>
    public virtual bool IgnoresTrimMinimum => false;

    /// <summary>The platform of a guest. One whose agent does not tell (before QEMU 2.10, or by policy) counts as POSIX.</summary>
    public static async Task<GuestPlatform> FindAsync(
        GuestAgentSession session, OperationTime time, CancellationToken cancellationToken)
    {
        if (session.Agent is { } agent && Known.TryGetValue(agent, out var known))
        {
            return known;
        }

        var system = await session.GetOperatingSystemAsync(time.Command(), cancellationToken).OrDefaultIfRefused().ConfigureAwait(false);
        GuestPlatform platform = system?.Id == WindowsNames.Id ? new WindowsPlatform() : new PosixPlatform();
        return system is not null && session.Agent is { } asked ? Known.GetValue(asked, _ => platform) : platform;
    }

    /// <summary>A program with the encoding of what it writes, where the caller has said nothing.</summary>
    public async Task<GuestProcessStart> CompleteAsync(
        GuestAgentSession session, GuestProcessStart start, OperationTime time, CancellationToken cancellationToken) =>
        start.Encoding is not null || start.IsOutputInternal ? start
            : start with { Encoding = await FindEncodingAsync(session, time, cancellationToken).ConfigureAwait(false) };

    /// <summary>The name of an account as its agent takes it to set its password.</summary>
    /// <param name="userName">The name as the caller has it.</param>
    /// <param name="isHash">Whether the hash of a password is set.</param>
    /// <param name="endpoint">The guest's endpoint, for errors.</param>
    /// <exception cref="GuestAgentException">PasswordHashRefused, AccountNotLocal.</exception>
    public virtual string AccountName(string userName, bool isHash, GuestAgentEndpoint endpoint) => userName;

    /// <summary>The interpreter of a script that names none.</summary>
    /// <param name="isPowerShell">Whether it is a script for a PowerShell.</param>
    public abstract GuestInterpreter DefaultInterpreter(bool isPowerShell);

    /// <summary>What guest-exec is given as the whole environment of a program, each variable as NAME=value; null leaves it the agent's.</summary>
    /// <exception cref="GuestAgentException">EnvironmentUnknown, and those of running a program.</exception>
    public abstract Task<IReadOnlyList<string>?> FindEnvironmentAsync(
        GuestAgentSession session, GuestProcessStart start, OperationTime time, CancellationToken cancellationToken);

    /// <summary>The encoding of what programs write that were not told otherwise.</summary>
    /// <exception cref="GuestAgentException">Those of running a program.</exception>
    public abstract Task<Encoding> FindEncodingAsync(GuestAgentSession session, OperationTime time, CancellationToken cancellationToken);

    /// <summary>Whether guest-exec alone does not start a program as it is meant: then <see cref="Launch"/> says what to start instead.</summary>
    public abstract bool NeedsLauncher(GuestProcessStart start);

    /// <summary>What to start instead of a program, for it to run in a folder, as a user or with its output in files: guest-exec knows none.</summary>
    /// <param name="execution">The program.</param>
    /// <param name="start">How it is to run.</param>
    /// <param name="token">What comes at the end of standard error where the program cannot be started.</param>
    /// <param name="endpoint">The guest's endpoint, for errors.</param>
    /// <exception cref="GuestAgentException">NotInWindowsGuest, GuestPathNotRooted.</exception>
    public abstract GuestExecution Launch(GuestExecution execution, GuestProcessStart start, string token, GuestAgentEndpoint endpoint);

    /// <summary>Runs a program to its end and reads its output meanwhile. If that is cancelled or times out, it is killed.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="start">The program.</param>
    /// <param name="watch">When the guest takes the host for gone.</param>
    /// <param name="take">Receives each piece; no more is read until it has returned.</param>
    /// <param name="keepsOnTimeOut">Whether the program keeps running after a time-out.</param>
    /// <param name="time">The operation's time.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>How it ended, without the output.</returns>
    /// <exception cref="GuestAgentException">NotInWindowsGuest, OutputFileNotMade, and those of running a program.</exception>
    public abstract Task<GuestProcessResult> FollowAsync(
        GuestAgentSession session, GuestProcessStart start, HostWatch watch, Func<GuestOutputKind, byte[], Task> take, bool keepsOnTimeOut,
        OperationTime time, CancellationToken cancellationToken);

    /// <summary>The way to a program to speak with while it runs, which is to be started.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="program">The program.</param>
    /// <param name="userName">The user in the guest to run it as, or null for the agent's user.</param>
    /// <param name="watch">When the guest takes the host for gone.</param>
    /// <exception cref="GuestAgentException">NotInWindowsGuest.</exception>
    public abstract InteractiveChannel CreateInteractive(
        GuestAgentSession session, GuestExecution program, string? userName, HostWatch watch);

    /// <summary>Kills a process of the agent's, and all that it has started; null where that was done, else what went wrong.</summary>
    public abstract Task<string?> KillTreeAsync(
        GuestAgentSession session, long processId, OperationTime time, CancellationToken cancellationToken);

    /// <summary>Looks for the programs that work on files; null where there are none, and why: then only the agent's own commands do.</summary>
    public abstract Task<(GuestFileTools? Tools, string? MissingReason)> FindFileToolsAsync(
        GuestAgentSession session, OperationTime time, CancellationToken cancellationToken);

    /// <summary>Runs a program that kills a process; null where that was done, else what it says.</summary>
    private protected static async Task<string?> KillByAsync(
        GuestAgentSession session, GuestExecution tool, OperationTime time, CancellationToken cancellationToken)
    {
        var end = await session.RunToolAsync(tool, time, cancellationToken).ConfigureAwait(false);
        return end.ExitCode == 0 ? null : $"{tool.Path} says: {Encoding.UTF8.GetString(end.Errors).Trim()}";
    }
}
