using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>Kills a process of the agent's, and all that it has started. The agent cannot do it.</summary>
internal static class KillScript
{
    /// <summary>How it ends where the process has gone already.</summary>
    public const int GoneExitCode = 3;

    /// <summary>
    /// Lines of a shell's script that kill the process $tree. Level by level, each is stopped before its children are looked for, so
    /// that none starts another meanwhile. A name in stat may hold anything, but ends with the last ')'.
    /// </summary>
    public const string Lines = """
        stat_of() {
          read -r line <"/proc/$1/stat" && line=${line##*) } && set -- $line && state=$1 parent=$2 session=$4 started=${20}
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
    private const string Script = Lines + """
        [ -r /proc/self/stat ] || exec kill -KILL "$1"
        stat_of "$1" 2>/dev/null && [ "$parent" = "$PPID" ] || exit 3
        tree=$1
        kill_tree
        exit 0
        """;

    /// <summary>What kills a process, by its id.</summary>
    public static GuestExecution Of(string id) => new("/bin/sh", "-c", Script, "sh", id);
}
