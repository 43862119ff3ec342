using System.Globalization;
using System.Text;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Guests.Processes;

namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>
/// The guest's side of a folder for a program's output: a shell makes it and watches for signs of life of the host. Without them it
/// kills the program, leaves a note of the agent's handles, which only a client of the agent can close, and removes everything.
/// </summary>
internal static class OutputScripts
{
    /// <summary>
    /// Lines that all scripts begin with. Once the folder is removed others may take its name: so nothing is done by its path, but
    /// from within, after a look at whose it is. A program is known by its number and its start: the number alone may be another's.
    /// </summary>
    public const string Lines = KillScript.Lines + """
        enter() {
          cd -P "$1" && [ "$PWD" = "$1" ] && [ -O . ]
        }
        is_running() {
          read -r program start handles <program || return 1
          [ -r /proc/self/stat ] || { kill -0 "$program"; return; }
          stat_of "$program" && [ "$started" = "$start" ] && [ "$state" != Z ]
        }
        remove() {
          folder=$PWD
          rm -f ./*
          cd / && rmdir "$folder"
        }
        end() {
          ! is_running || { tree=$program; kill_tree; }
          true >out
          true >err
          remove
        }

        """;

    /// <summary>
    /// Lines by which a shell says that it is the program: $1 is the folder, which it is in then, $2 the agent's handles. No variable
    /// is set: it may be one of the program's environment.
    /// </summary>
    public const string EnterAsProgram = """
        enter "$1" && echo "$$ $(stat_of $$ 2>/dev/null && echo "$started" || echo -) $2" >program || exit 1

        """;

    // $1 is how many seconds are between two looks, $2 how many may be in vain, $3 the named pipes to make. The folder's name comes by
    // standard input: others see arguments, and must not be able to make it first. The output of one that was let go on is nobody's:
    // it is emptied again and again. Files are emptied before they are removed, for the agent may have them open still. Without
    // the parentheses a shell would keep the agent's pipes for later.
    private const string Create = Lines + """
        IFS= read -r name
        pause=$1 limit=$2 pipes=$3
        umask 077
        is_safe() {
          set -- $(ls -ldn .)
          case $1 in
            d????-??-*|d????????[tT]*) [ "$3" = 0 ] || [ -O . ] ;;
            *) false ;;
          esac
        }
        watch() {
          missed=0
          while [ "$missed" -lt "$limit" ]; do
            sleep "$pause" && [ -e out ] || exit
            missed=$((missed + 1))
            [ ! -e beat ] || { missed=0; rm -f beat; }
            [ -e kept ] || continue
            missed=0
            true >out
            true >err
            is_running || break
          done
          [ -e kept ] || { read -r program start handles <program && echo "$handles" >"/run/$name.left-$PPID"; }
          end
        }
        made=
        for parent in /var/tmp /tmp; do
          cd -P "$parent" || continue
          is_safe || { echo "$parent: other users could replace files there" >&2; continue; }
          mkdir "$name" && enter "$PWD/$name" || continue
          true >out && true >err && { [ -z "$pipes" ] || mkfifo $pipes; } && made=$PWD && break
          remove
        done
        [ -n "$made" ] || exit 1
        (watch) </dev/null >/dev/null 2>&1 &
        echo "$made"
        for note in /run/qemu-guest-agent-*.left-*; do
          [ -f "$note" ] && [ ! -L "$note" ] && [ -O "$note" ] || continue
          agent=${note##*-}
          if [ "$agent" = "$PPID" ]; then cat "$note"; elif kill -0 "$agent"; then continue; fi
          rm -f "$note"
        done
        exit 0
        """;

    // $1 is the folder.
    private const string Heartbeat = Lines + """enter "$1" && true >beat""";

    // $1 is the folder, $2 the bytes, $3 the file.
    private const string Free = Lines + """enter "$1" && exec fallocate --punch-hole --offset 0 --length "$2" "$3" """;

    // $1 is the folder's name, $2 not empty where the program may go on.
    private const string End = Lines + """
        for parent in /var/tmp /tmp; do
          cd -P "$parent" && enter "$PWD/$1" || continue
          if [ -n "$2" ] && is_running; then true >kept; else end; fi
        done
        """;

    /// <summary>Makes the folder and its files, and tells it; then, a line each, the handles that hosts have left which were gone.</summary>
    public static GuestExecution MakeFolder(string name, HostWatch watch, IEnumerable<string> pipes) => Tool(
        Create, watch.Look.TotalSeconds.ToString(CultureInfo.InvariantCulture), $"{watch.MaxMissed}", string.Join(" ", pipes)) with
    {
        Input = Encoding.ASCII.GetBytes(name + "\n"),
    };

    /// <summary>The host's sign of life.</summary>
    public static GuestExecution GiveSign(string folder) => Tool(Heartbeat, folder);

    /// <summary>Gives back the room of the first bytes of a file, which were read.</summary>
    public static GuestExecution FreeRoom(string folder, string file, long bytes) =>
        Tool(Free, folder, bytes.ToString(CultureInfo.InvariantCulture), file);

    /// <summary>Kills the program, where it runs still, and removes the folder; or lets it go on.</summary>
    public static GuestExecution EndAll(string name, bool keeps) => Tool(End, name, keeps ? "kept" : "");

    private static GuestExecution Tool(string script, params string[] arguments) => new("/bin/sh", ["-c", script, "sh", .. arguments]);
}
