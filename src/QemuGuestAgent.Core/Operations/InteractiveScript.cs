using System.Globalization;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Core.Operations;

/// <summary>When a guest takes its host for gone.</summary>
/// <param name="Beat">How often the host gives a sign of life, at least.</param>
/// <param name="Look">How often the guest looks for one.</param>
/// <param name="MaxMissed">So many looks without one, one after the other, are the end.</param>
internal sealed record HostWatch(TimeSpan Beat, TimeSpan Look, int MaxMissed)
{
    /// <summary>Two minutes: long enough for a busy agent, and for file systems frozen for a snapshot.</summary>
    public static HostWatch Usual { get; } = new(TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(5), 24);
}

/// <summary>
/// The guest's side of an interactive process: a shell that starts the program with a named pipe as its input and a file as its
/// output, tells how it ended, and removes everything; also where the host is not heard of any more.
/// </summary>
internal static class InteractiveScript
{
    /// <summary>The folders that the process's own may be in; the shell takes the first that it can.</summary>
    public static readonly string[] Parents = ["/var/tmp", "/tmp"];

    // $1 is the folder's name, $2 how many seconds are between two looks, $3 how many may be in vain; the rest is the program. What
    // the agent captures comes from this shell and cat alone: what the program leaves running would hold the agent's pipes, and hide
    // the end. It is cat that writes the file, for it tells of a full disk; PowerShell would go on, and without cat too. The sign of
    // life is a file that comes again each time: no clock is compared. It holds the agent's handles, which only a client of the agent
    // can close: where the host is gone, a note tells them to the next of the same agent, the shell's parent. The output's file is
    // emptied before it is removed, for the agent has it open still.
    private const string Script = ProcessTree.KillLines + """
        name=$1 pause=$2 limit=$3
        shift 3
        umask 077
        for parent in /var/tmp /tmp; do
          folder=$parent/$name
          mkdir "$folder" && : >"$folder/out" && : >"$folder/err" && mkfifo "$folder/pipe" "$folder/in" && break
          rm -rf "$folder"
          folder=
        done
        [ -n "$folder" ] || exit 1
        watch() {
          missed=0 handles=
          while [ "$missed" -lt "$limit" ] && sleep "$pause"; do
            kill -0 "$program" || exec kill "$writer"
            missed=$((missed + 1))
            [ ! -s "$folder/beat" ] || { missed=0; read -r handles <"$folder/beat"; rm "$folder/beat"; }
          done
          trap '' TERM
          [ -z "$handles" ] || echo "$handles" >"/run/$name.left-$PPID"
          tree=$program
          kill_tree
          : >"$folder/out"
          rm -rf "$folder"
        }
        PATH=${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}
        [ -n "$HOME" ] || eval "HOME=~$(id -un)"
        export PATH HOME
        cd 2>/dev/null
        "$@" <"$folder/in" >"$folder/pipe" 2>>"$folder/err" &
        program=$!
        cat <"$folder/pipe" >>"$folder/out" &
        writer=$!
        watch </dev/null >/dev/null 2>&1 &
        watcher=$!
        wait "$writer" || { kill -0 "$program" 2>/dev/null && tree=$program && kill_tree; }
        wait "$program"
        code=$?
        kill "$watcher"
        cat "$folder/err" >&2
        rm -rf "$folder"
        exit "$code"
        """;

    // $1 is the file, $2 the handles. It is there as a whole or not at all.
    private const string BeatScript = """echo "$2" >"$1.new" && mv "$1.new" "$1" """;

    // The notes of agents that are gone are of no use any more.
    private const string LeftScript = """
        for note in /run/qemu-guest-agent-*.left-*; do
          agent=${note##*-}
          if [ "$agent" = "$PPID" ]; then cat "$note"; elif kill -0 "$agent"; then continue; fi
          rm -f "$note"
        done
        """;

    /// <summary>Tells the handles that hosts have left which were gone without a word.</summary>
    public static readonly GuestExecution TakeLeft = new("/bin/sh", "-c", LeftScript);

    private const string AsUser = """cd 2>/dev/null || cd /; exec "$@" """;

    /// <summary>The host's sign of life.</summary>
    /// <param name="folder">The process's folder.</param>
    /// <param name="handles">The agent's handles that are open for it.</param>
    public static GuestExecution Beat(string folder, IEnumerable<long> handles) =>
        new("/bin/sh", "-c", BeatScript, "sh", $"{folder}/beat", string.Join(" ", handles));

    /// <summary>What to start for a program.</summary>
    /// <param name="name">The name for the folder.</param>
    /// <param name="userName">The user of the guest to run it as, or null for the agent's.</param>
    /// <param name="watch">When the host is gone.</param>
    /// <param name="filePath">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    public static GuestExecution Prepare(
        string name, string? userName, HostWatch watch, string filePath, IReadOnlyList<string> arguments)
    {
        string[] user = userName is null ? [] : ["su", "-s", "/bin/sh", "-c", AsUser, "--", userName, "sh"];
        return new GuestExecution(
            "/bin/sh",
            [
                "-c", Script, "sh", name, watch.Look.TotalSeconds.ToString(CultureInfo.InvariantCulture), $"{watch.MaxMissed}",
                .. user, filePath, .. arguments,
            ]);
    }
}
