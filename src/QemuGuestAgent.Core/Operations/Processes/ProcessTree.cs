using System.Globalization;
using System.Text;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations.Processes;

/// <summary>Kills a process of the agent's in the guest, and all that it has started. The agent cannot do it.</summary>
internal static class ProcessTree
{
    private const int GoneExitCode = 3;

    /// <summary>
    /// Lines of a shell's script that kill the process $tree. Level by level, each is stopped before its children are looked for, so
    /// that none starts another meanwhile. A name in stat may hold anything, but ends with the last ')'.
    /// </summary>
    internal const string KillLines = """
        stat_of() {
          read -r line <"/proc/$1/stat" && line=${line##*) } && set -- $line && state=$1 parent=$2 started=${20}
        }
        kill_tree() {
          kill -STOP "$tree"
          level=$tree
          while [ -n "$level" ]; do
            next=
            for stat in /proc/[0-9]*/stat; do
              id=${stat%/stat} id=${id#/proc/}
              stat_of "$id" 2>/dev/null || continue
              case " $level " in
                *" $parent "*) kill -STOP "$id" 2>/dev/null; next="$next $id" ;;
              esac
            done
            tree="$tree $next" level=$next
          done
          kill -KILL $tree 2>/dev/null
        }

        """;

    // $1 is killed only where it is a child of who runs this, the agent: its number may be somebody else's by now.
    private const string KillScript = KillLines + """
        [ -r /proc/self/stat ] || exec kill -KILL "$1"
        stat_of "$1" 2>/dev/null && [ "$parent" = "$PPID" ] || exit 3
        tree=$1
        kill_tree
        exit 0
        """;

    /// <summary>Kills; null where that was done, else what went wrong.</summary>
    public static async Task<string?> KillAsync(
        GuestAgentSession session, long processId, OperationTime time, CancellationToken cancellationToken)
    {
        var id = processId.ToString(CultureInfo.InvariantCulture);
        if (await GuestTools.IsWindowsAsync(session, time, cancellationToken).ConfigureAwait(false))
        {
            return await RunAsync(new GuestExecution("taskkill.exe", "/PID", id, "/T", "/F")).ConfigureAwait(false);
        }

        try
        {
            var end = await GuestTools.RunToolAsync(
                session, new GuestExecution("/bin/sh", "-c", KillScript, "sh", id), time, cancellationToken)
                .ConfigureAwait(false);
            if (end.ExitCode == 0)
            {
                return null;
            }

            if (end.ExitCode == GoneExitCode)
            {
                return "it has ended already; what it left behind holds its output.";
            }
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.ProcessNotStarted))
        {
            // No shell.
        }

        return await RunAsync(new GuestExecution("kill", "-KILL", id)).ConfigureAwait(false);

        async Task<string?> RunAsync(GuestExecution tool)
        {
            var end = await GuestTools.RunToolAsync(session, tool, time, cancellationToken).ConfigureAwait(false);
            return end.ExitCode == 0 ? null : $"{tool.Path} says: {Encoding.UTF8.GetString(end.Errors).Trim()}";
        }
    }
}
