using System.Globalization;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Guests.Processes;

namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>
/// The guest's side of a terminal: a shell that logs a user in on a pseudo terminal, which a tool of the guest brings, with a named pipe as
/// the terminal's input and a file as its output.
/// </summary>
internal static class TerminalScript
{
    /// <summary>The named pipe by which the host tells how many bytes of the output it has read, a line each.</summary>
    public const string Seen = "seen";

    /// <summary>The bytes after which the host tells so.</summary>
    public const int SeenStep = 256 << 10;

    /// <summary>How <see cref="Resize"/> ends where the terminal is not there yet.</summary>
    public const int NotYetExitCode = 2;

    // More than is ever read: the host reads no further.
    private const string Everything = "9000000000000000000";

    // $1 is the user, or empty. It tells the user's name, then what brings a pseudo terminal. A script of BSD has other
    // options. Where there are no accounts, busybox' id writes the number and fails.
    private const string Find = """
        user=${1:-$(id -un 2>/dev/null)}
        user=${user:-$(id -u)}
        if [ -n "$1" ]; then
          [ "$(id -un -- "$user" 2>/dev/null)" = "$user" ] || { echo "there is no user '$user' there" >&2; exit 1; }
          [ "$user" = "$(id -un)" ] || { [ "$(id -u)" = 0 ] && command -v su >/dev/null; } ||
            { echo "its agent cannot become '$user': that needs su, and an agent that runs as root" >&2; exit 1; }
        fi
        echo "$user"
        if { script --version || script --help; } </dev/null 2>&1 | grep -qi -e util-linux -e busybox; then echo script
        elif python3 -I -S -c 'import os, pty, select, signal, sys' 2>/dev/null; then echo python3
        else echo none
        fi
        """;

    // $1 is the folder, $2 the agent's handles of it; the rest brings the terminal. The output's file grows only so far ahead of the host:
    // dd takes what is there at once, and after some pieces the host must have seen all but the last of them. That way Ctrl+C is heard while
    // a flood comes. Where it fails, as the disk is full, writing to it ends the terminal. That is not started in the background: there it
    // would not hear of Ctrl+C. A terminal that was hung up tells no code.
    private const string Script = OutputScripts.Lines + OutputScripts.EnterAsProgram + """
        shift 2
        PATH=${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}
        [ -n "$HOME" ] || eval "HOME=~$(id -un)"
        SHELL=/bin/sh
        export PATH HOME SHELL
        copy() {
          size=0 seen=0
          while before=$size; dd bs=16384 count=32 2>/dev/null; do
            set -- $(ls -ln out)
            size=$5
            [ "$size" -gt "$before" ] || return 0
            while [ $((size - seen)) -gt 1048576 ]; do read -r seen <&3 || return 1; done
          done
          return 1
        }
        copy <pipe >>out 3<>seen &
        "$@" <in >pipe 2>>err
        code=$?
        wait
        if [ -s code ]; then read -r code <code; else cat err >&2; fi
        remove
        exit "$code"
        """;

    // On the terminal: $1 rows, $2 columns, $3 TERM, $4 the user, $5 the shell or empty, $6 the folder or empty, $7 an option for a shell
    // that would not take its input for a terminal. A guest without accounts has no login. This shell stays, to tell the exit code, and takes no signal of the keyboard for its own;
    // nothing of the folder is open in what it starts. The terminal is the user's, as login and sshd have it.
    private const string LogIn = """
        umask 022
        stty sane
        stty iutf8
        stty rows "$1" cols "$2"
        terminal=$(tty) || terminal=-
        { [ "$terminal" = - ] || [ "$4" = "$(id -un)" ] || chown -- "$4" "$terminal"; } 2>/dev/null
        echo "$$ $terminal" >terminal
        exec 4>code
        cd /
        trap : INT QUIT
        export TERM="$3"
        shift 3
        own_shell() {
          { getent passwd "$1" 2>/dev/null || cat /etc/passwd; } | while IFS=: read -r name x x x x x shell; do
            [ "$name" != "$1" ] || { echo "${shell:-/bin/sh}"; break; }
          done
        }
        start() {
          shell=${2:-$(own_shell "$1" 2>/dev/null)}
          if [ "$(id -u)" != 0 ] || ! command -v su >/dev/null || ! id -u -- "$1" >/dev/null 2>&1; then
            export SHELL="${shell:-/bin/sh}"
            if [ -n "$3" ]; then cd -- "$3" || exit 1; else cd -- "$HOME" 2>/dev/null; fi
            exec "$SHELL" -l $4
          elif [ -z "$3" ]; then
            exec su ${2:+-s "$2"} -l -- "$1" $4
          else
            exec su -s /bin/sh -l -- "$1" -c 'cd -- "$2" && SHELL=$1 && export SHELL && exec "$1" $3' sh "${shell:-/bin/sh}" "$3" $4
          fi
        }
        ( start "$@" ) 4>&-
        echo "$?" >&4
        """;

    // $1 is a command for the shell on the terminal. Neither side waits for the other: a program that writes while it is not read
    // from must still be read. The shell's end is the end, whatever has the terminal open still; as much as that holds is shown before.
    private const string Python = """
        import os, pty, select, signal, sys
        woken, waking = os.pipe()
        os.set_blocking(waking, False)
        signal.set_wakeup_fd(waking)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        child, master = pty.fork()
        if child == 0:
            for ignored in signal.SIGPIPE, signal.SIGXFSZ:
                signal.signal(ignored, signal.SIG_DFL)
            os.execv("/bin/sh", ["/bin/sh", "-c", sys.argv[1]])
        os.set_blocking(master, False)
        waiting, ended, gone = b"", False, False
        while not gone:
            sources = [master, woken] + ([] if ended or len(waiting) > 65536 else [0])
            readable, writable, _ = select.select(sources, [master] if waiting else [], [])
            if 0 in readable:
                typed = os.read(0, 65536)
                waiting, ended = waiting + typed, not typed
            gone = woken in readable and os.read(woken, 64) and os.waitpid(child, os.WNOHANG)[0] == child
            try:
                if writable:
                    waiting = waiting[os.write(master, waiting):]
                for _ in range(16 if gone else master in readable):
                    shown = os.read(master, 65536)
                    while shown:
                        shown = shown[os.write(1, shown):]
            except BlockingIOError:
                pass
            except OSError:
                break
        os.close(master)
        if not gone:
            os.waitpid(child, 0)
        """;

    // $1 is the folder, $2 rows, $3 columns. The kernel tells the programs.
    private const string SetSize = OutputScripts.Lines + """
        enter "$1" || exit 1
        [ -s terminal ] || exit 2
        read -r leader terminal <terminal
        exec stty rows "$2" cols "$3" <"$terminal"
        """;

    // $1 is the folder. As where a telephone line breaks: what has the terminal is told, and what has cut itself loose goes on.
    private const string HangUp = OutputScripts.Lines + $$"""
        enter "$1" || exit 1
        echo {{Everything}} 1<>seen
        [ -s terminal ] || exit 1
        read -r leader terminal <terminal
        for stat in /proc/[0-9]*/stat; do
          id=${stat%/stat} id=${id#/proc/}
          stat_of "$id" 2>/dev/null && [ "$session" = "$leader" ] || continue
          kill -HUP "$id" && kill -CONT "$id"
        done 2>/dev/null
        """;

    /// <summary>Tells who is logged in, and by what way.</summary>
    public static GuestExecution FindWay(string? userName) => Shell(Find, userName ?? "");

    /// <summary>What to start.</summary>
    /// <param name="files">Where its output goes.</param>
    /// <param name="start">The shell and its terminal.</param>
    /// <param name="userName">The user's name.</param>
    /// <param name="way">What brings the terminal, as <see cref="FindWay"/> has told.</param>
    public static GuestExecution Prepare(OutputFiles files, GuestTerminalStart start, string userName, TerminalWay way)
    {
        string[] login =
        [
            "/bin/sh", "-c", LogIn, "sh", Number(start.Size.Rows), Number(start.Size.Columns), way == TerminalWay.None ? "dumb" : start.TerminalName,
            userName, start.ShellPath ?? "", start.WorkingDirectory ?? "", way == TerminalWay.None ? "-i" : "",
        ];
        var command = $"exec {string.Join(" ", login.Select(Quote))}";
        string[] tool = way switch
        {
            TerminalWay.Script => ["script", "-q", "-f", "-c", command, "/dev/null"],
            TerminalWay.Python => ["python3", "-I", "-S", "-c", Python, command],
            _ => ["/bin/sh", "-c", $"exec 2>&1; {command}"],
        };
        return Shell(Script, [files.Folder, files.Handles, .. tool]);
    }

    /// <summary>Gives the terminal another size.</summary>
    public static GuestExecution Resize(string folder, TerminalSize size) => Shell(SetSize, folder, Number(size.Rows), Number(size.Columns));

    /// <summary>Takes the terminal away from what has it.</summary>
    public static GuestExecution Close(string folder) => Shell(HangUp, folder);

    // For a shell.
    private static string Quote(string text) => $"'{text.Replace("'", "'\\''")}'";

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static GuestExecution Shell(string script, params string[] arguments) => new("/bin/sh", ["-c", script, "sh", .. arguments]);
}
